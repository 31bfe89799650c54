"""What jaxtyping checks annotations with while tests run: beartype, to which an int is a float too, as to Python."""

from beartype import BeartypeConf, beartype

check = beartype(conf=BeartypeConf(is_pep484_tower=True))
