"""A script's settings: a frozen dataclass, each field an option of the command line."""

import argparse
import dataclasses
import inspect
import re
from typing import Any, TypeVar, cast

Config = TypeVar("Config")


def parse_config(config: type[Config], argv: list[str] | None = None, description: str | None = None) -> Config:
    """Build the dataclass `config` from the command line: field `batch_size` is the option --batch-size.

    Every field has a default, whose type the option takes; a bool field becomes --name / --no-name. The
    comment behind a field is its help text.
    """
    comments = dict(re.findall(r"^ +(\w+):[^#\n]*# *(.*)$", inspect.getsource(config), re.MULTILINE))
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for field in dataclasses.fields(cast(Any, config)):
        flag = "--" + field.name.replace("_", "-")
        text = comments.get(field.name, "").replace("%", "%%")
        if isinstance(field.default, bool):
            parser.add_argument(flag, action=argparse.BooleanOptionalAction, default=field.default, help=text)
        else:
            parser.add_argument(flag, type=type(field.default), default=field.default, help=text)
    return config(**vars(parser.parse_args(argv)))
