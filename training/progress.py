"""Progress bars: one look for all scripts, in a terminal and in a notebook."""

from tqdm.auto import tqdm


def progress(iterable=None, **settings) -> tqdm:
    """tqdm, whose bar shows only after a second: what ends at once (an exercise that is to do) leaves none behind."""
    return tqdm(iterable, **({"delay": 1, "mininterval": 1} | settings))
