"""The study's variants by the question that they answer: each report's own with those that its claims compare."""

from typing import NamedTuple

from remnist.plan.claims import Claims, Published
from remnist.plan.comparisons import variants_of
from remnist.report.tables import Results


class Question(NamedTuple):
    """Variants that belong together, in the order of the plan.

    Attributes:
        report: whose they are; None for those that no report and no claim names.
        title: a heading.
        variants: their names.
        published: what the report published of some of them.
    """

    report: int | None
    title: str
    variants: list[str]
    published: dict[str, Published]


def asked(results: Results, claims: Claims) -> list[Question]:
    """Return the questions of claims.yaml, as far as the plan has their variants; without any, those of the reports."""
    questions = []
    for title, variants in claims.questions.items():
        if known := [variant for variant in variants if variant in results.plan]:
            questions.append(Question(None, title, known, {v: p for v, p in claims.published.items() if v in known}))
    return questions or group(results, claims)


def group(results: Results, claims: Claims) -> list[Question]:
    """Return a question a report, as far as the plan has variants of it, and the other variants last."""
    questions, grouped = [], set[str]()
    for number, report in claims.reports.items():
        published = {variant: each for variant, each in claims.published.items() if each.report == number}
        own = (claim for claim in claims.claims.values() if claim.report == number)
        named = set(published).union(*(variants_of(claim, claims.claims) for claim in own))
        if variants := [variant for variant in results.plan if variant in named]:
            questions.append(Question(number, f"Report {number}: {report.title}", variants, published))
            grouped.update(variants)
    if others := [variant for variant in results.plan if variant not in grouped]:
        questions.append(Question(None, "Other variants", others, {}))
    return questions
