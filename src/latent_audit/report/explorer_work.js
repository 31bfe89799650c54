"use strict";
// Work that need not be done in the frame that asks for it: to decode takes longer than a frame, and a drag wants sixty a second.
const ExplorerWork = (() => {
  // A frame works until `budget` milliseconds have gone since it began. A job is called until it returns nothing: true asks
  // for another call, maybe in a later frame, before any other job. Those for soon go before those for later. Of two jobs
  // with one key the newer is done, in the place of the older, so that no job waits for ever.
  function queue(budget, now = () => performance.now()) {
    const soon = new Map(), later = new Map();
    let job = null;
    const left = () => soon.size + later.size + (job ? 1 : 0);
    function next() {
      for (const jobs of [soon, later])
        for (const [key, found] of jobs) { jobs.delete(key); return found; }
      return null;
    }
    function some(begun) { // at least one call; returns how many jobs are left
      do {
        job ||= next();
        if (!job) return 0;
        if (job() !== true) job = null;
      } while (now() - begun < budget);
      return left();
    }
    return { soon: (key, one) => soon.set(key, one), later: (key, one) => later.set(key, one), some, left };
  }

  // A job that begins when its turn comes and then goes on in slices: begin() returns what is called until it finds something.
  function inSlices(begin, done) {
    let slice = null;
    return () => {
      slice ||= begin();
      const found = slice();
      if (found) done(found);
      return !found;
    };
  }

  return { queue, inSlices };
})();
if (typeof module !== "undefined") module.exports = ExplorerWork;
