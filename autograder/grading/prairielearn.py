"""The same grade as PrairieLearn's external grader wants it: https://prairielearn.readthedocs.io/en/latest/externalGrading/"""

from autograder.grading.results import Report


def prairielearn(report: Report) -> dict:
    """The content of /grade/results/results.json: a score from 0 to 1, and a test for each hidden test."""
    return {
        "gradable": True,
        "score": round(report.score / report.max_score, 6) if report.max_score else 0.0,
        "output": "\n".join(report.notes),
        "tests": [
            {
                "name": test["name"],
                "description": "",
                "points": test["score"],
                "max_points": test["max_score"],
                "output": test["output"],
            }
            for test in report.to_json()["tests"]
        ],
    }
