"""Where student code runs, in processes of its own. One file per side of the wall: client | supervisor | worker."""
