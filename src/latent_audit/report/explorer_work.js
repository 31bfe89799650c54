"use strict";
// Work that need not be done in the frame that asks for it: to decode takes milliseconds, and a drag wants sixty frames a second.
const ExplorerWork = (() => {
  // A frame does jobs until `budget` milliseconds have gone since it began, at least one; those for soon go before those for
  // later. Of two jobs with one key the newer is done, in the place of the older, so that no job waits for ever.
  function queue(budget, now = () => performance.now()) {
    const soon = new Map(), later = new Map();
    const left = () => soon.size + later.size;
    function some(begun) { // returns how many are left
      for (const jobs of [soon, later])
        for (const [key, job] of jobs) {
          jobs.delete(key);
          job();
          if (now() - begun >= budget) return left();
        }
      return left();
    }
    return { soon: (key, job) => soon.set(key, job), later: (key, job) => later.set(key, job), some, left };
  }

  return { queue };
})();
if (typeof module !== "undefined") module.exports = ExplorerWork;
