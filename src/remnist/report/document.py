"""REPORT.md: the study's results in words and tables, generated whole from the templates."""

import math
import re
from pathlib import Path
from typing import Any

import pandas as pd

from remnist.plan.claims import Claims
from remnist.report import causes, gallery, glossary, markdown, stability, words
from remnist.report.questions import Question
from remnist.report.recipes import recipe
from remnist.report.summaries import Summary, digit_means, missing_digits
from remnist.report.tables import DIGITS, Results, data_set, image_variants
from remnist.report.verdicts import OUTCOMES, Judged

TEMPLATES = Path(__file__).with_name("templates")
DATA_SETS = {
    "mnist": "MNIST",
    "fashion_mnist": "Fashion-MNIST",
    "kmnist": "Kuzushiji-MNIST",
    "digits": "scikit-learn's digits",
}
SPLITS = {"digits": "the last fifth for testing"}  # where none is official
LEARNT = 0.5  # accuracy from which a run has learnt, so that a digit of which few images are right is missing
SATURATED_LOSS = math.log(math.e + 9) - 1  # 1.4612, loss of a sure and right softmax put through another softmax

Json = dict[str, Any]


def render(
    results: Results,
    summary: Summary,
    claims: Claims,
    questions: list[Question],
    judged: list[Judged],
    before: dict[str, Judged],
    ranking: pd.DataFrame,
) -> str:
    """Write the report.

    Args:
        results: the measurements.
        summary: each variant's figures over its seeds.
        claims: the content of claims.yaml.
        questions: the variants by question.
        judged: the claims with their outcomes.
        before: those of earlier runs, by claim.
        ranking: the hardest images, as `gallery.rank` returns them.

    Returns:
        Markdown, which refers to the figures in plots/.
    """
    environment = markdown.environment(TEMPLATES)
    for phrase in (
        words.compared,
        words.expected,
        words.published,
        words.measured,
        words.effect,
        words.still_open,
        words.size,
        words.cause,
    ):
        environment.filters[phrase.__name__] = phrase
    reference, runs = results.plan.get(claims.reference), results.runs.groupby("variant")
    environment.filters |= {
        "recipe": lambda variant: recipe(results.plan[variant], reference if variant != claims.reference else None),
        "accuracy": lambda variant: words.accuracies(runs.get_group(variant)),
        "pair": lambda row: gallery.pair(row["label"], row["predicted"]),
    }
    data = data_set(results)
    text = environment.get_template("report.md.j2").render(
        title=title(claims, data.name),
        claims=claims,
        summary=summary,
        results=results,
        plan=list(results.plan.values()),
        data=DATA_SETS[data.name],
        reported=DATA_SETS[claims.data],
        split=SPLITS.get(data.name, "official split"),
        validation=data.validation,
        outcomes={outcome: found for outcome in OUTCOMES if (found := [e for e in judged if e.outcome == outcome])},
        judged=judged,
        tried=[{"there": before[each.id], "here": each, "same": before[each.id].outcome == each.outcome}
               for each in judged if each.id in before],
        meanings=glossary.OUTCOMES,
        metrics=glossary.metrics(each.claim for each in judged),
        findings=[each for name in claims.findings for each in judged if each.id == name],
        studies=stability.STUDIES,
        fragile=stability.FRAGILE,
        shares=causes.SHARES,
        lead=_lead(results, summary, claims, published_here=data.name == claims.data),
        sections=[_section(question, judged) for question in questions],
        missing=missing_digits(results).query(f"accuracy >= {LEARNT}").to_dict(orient="records"),
        saturated=SATURATED_LOSS,
        digits=DIGITS,
        by_digit={name: [None if pd.isna(row[digit]) else row[digit] for digit in DIGITS]
                  for name, row in digit_means(results).iterrows()},
        others=[name for name in results.plan if name not in image_variants(results)],
        images=gallery.facts(results, ranking) if len(ranking) else None,
        binomial=100 * math.sqrt(0.02 * 0.98 / results.test_images),
    )  # fmt: skip
    return re.sub("\n{3,}", "\n\n", text).strip() + "\n"


def title(claims: Claims, data: str) -> str:
    """Return the heading of a study: that of claims.yaml, or whose reports were run again, and on which data set."""
    many = len(claims.reports)
    again = f"{markdown.number(many)} {DATA_SETS[claims.data]} lab report{'' if many == 1 else 's'}, run again"
    return (claims.title or again) + ("" if data == claims.data else f", on {DATA_SETS[data]}")


def _lead(results: Results, summary: Summary, claims: Claims, *, published_here: bool) -> Json:
    """Return what the report says of the accuracies: the best, the reference's span, the published ones."""
    runs = {str(name): accuracies for name, accuracies in results.runs.groupby("variant")["accuracy"]}
    reference = runs.get(claims.reference, pd.Series(dtype=float))
    compared = {v: p.accuracy for v, p in claims.published.items() if v in runs and p.accuracy is not None}
    return {
        "best": max(image_variants(results), key=lambda variant: summary[variant]["accuracy"]),
        "low": reference.min(),
        "high": reference.max(),
        "images": round((reference.max() - reference.min()) * results.test_images) if len(reference) > 1 else None,
        "compared": compared if published_here else {},
        "within": sum(runs[v].min() <= accuracy <= runs[v].max() for v, accuracy in compared.items()),
        "expected": sum((len(runs[v]) - 1) / (len(runs[v]) + 1) for v in compared),  # within, were each one more run
        "widest": max(compared, key=lambda v: abs(summary[v]["accuracy"] - compared[v]), default=None),
    }


def _section(question: Question, judged: list[Judged]) -> Json:
    """Return a question's variants, its claims, and the statistics behind these."""
    own = [each for each in judged if each.claim.report == question.report]
    return {
        "title": question.title,
        "variants": {name: question.published.get(name) for name in question.variants},
        "judged": own,
        "behind": [
            {"says": each.claim.says, **words.details(each, each.effect)}
            for each in own
            if each.effect and not each.claim.by_construction
        ],
    }
