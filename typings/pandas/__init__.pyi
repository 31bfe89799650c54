# pandas 3's own annotations give hundreds of unions that no frame of ours can have; to pyright, pandas is untyped.
from typing import Any

def __getattr__(name: str) -> Any: ...
