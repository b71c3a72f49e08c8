"""Right answers that look different: autograder/alternatives/<slug>/, in the form of misconceptions."""

from autograder.course import Assignment
from autograder.grading.variants import Variant, load_variants


def alternatives_in_groups(assignment: Assignment) -> list[list[Variant]]:
    """All alternatives in groups, each of which goes into one submission: no function has two in one group."""
    groups: list[list[Variant]] = []
    for module in assignment.modules:
        for variant in load_variants(assignment.alternatives_file(module), module):
            taken = (variant.module, variant.target)
            free = (group for group in groups if taken not in [(other.module, other.target) for other in group])
            group = next(free, None)
            if group is None:
                groups.append([variant])
            else:
                group.append(variant)
    return groups
