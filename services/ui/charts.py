"""Pure: the charts of a query as figures, each with how to read it."""

from html import escape

from services.client.job import Job
from services.ui.findings import absence

#: By the chart's name: its title, and a sentence on how to read it.
READING = {
    "heatmap": (
        "Topical similarity",
        "The brighter a cell, the more two responses speak of the same things; that is not yet agreement.",
    ),
    "claims": (
        "Claims",
        "The parts of a bar are the claims of one response that others support, that others contest, and that it makes "
        "alone.",
    ),
    "sentiment": (
        "Sentiment",
        "A bar to the right is worded positively, one to the left negatively; it tells the wording, not the verdict.",
    ),
    "emotion": ("Tones", "A bar is one response, its parts the share of each tone in its sentences."),
    "radar": (
        "Manner",
        "The further out a line on an axis, the more of that feature; lines that lie together are alike in manner.",
    ),
}


def charts(job: Job) -> str:
    """Every chart, or in words why there are none."""
    analysis = job.resource["analysis"]
    if not job.ended:
        return '<p class="fm-absent">The charts are drawn when the query has ended.</p>'
    if analysis["status"] != "ready":
        return absence(job)
    alts = {chart["name"]: chart["alt"] for chart in analysis["charts"]}
    figures = "".join(_figure(job.resource["job_id"], name, alts[name]) for name in READING if name in alts)
    return f'<div class="fm-charts">{figures}</div>' if figures else '<p class="fm-absent">No chart could be drawn.</p>'


def _figure(job_id: str, name: str, alt: str) -> str:
    title, reading = READING[name]
    address = f"/jobs/{escape(job_id)}/charts/{name}"
    links = " ".join(
        f'<a href="{address}.{format_}" download="folkmoot-{name}.{format_}">{format_.upper()}'
        f'<span class="fm-spoken"> of {title}</span></a>'
        for format_ in ("png", "svg")
    )
    return (
        f'<figure><h3>{title}</h3><p class="fm-reading">{reading}</p>'
        f'<img src="{address}.png" alt="{escape(alt)}" width="960" loading="lazy" decoding="async">'
        f"<figcaption>Download {links}</figcaption></figure>"
    )
