"""The catalogue: domains, question types, ethical roles, and the examples the product offers."""

from dataclasses import dataclass

#: A domain's name to the framing that its experts get; Custom has none.
DOMAINS: dict[str, str] = {
    "Custom": "",
    "Education": "You advise schools and universities. Weigh learning, fairness among students, teachers' means.",
    "Healthcare": "You advise on medicine and public health. Weigh benefit and harm to patients, consent and cost.",
    "Policy": "You advise law-makers. Weigh rights, enforcement, unintended effects and who bears the cost.",
    "Science/Technology": "You advise on research and engineering. Weigh evidence, uncertainty, safety and misuse.",
    "Environmental": "You advise on the environment. Weigh ecosystems, climate, later generations and livelihoods.",
}

#: A question type's name to what it asks of an answer.
QUESTION_TYPES: dict[str, str] = {
    "None": "",
    "Open-ended": "Give the strongest arguments for and the strongest arguments against, then say where you stand.",
    "Yes/No": "Begin with the single word Yes or No. Then give the moral, practical and emotional reasons for it.",
    "Multiple Choice": "Choose exactly one option and name it first. Justify it, then weigh each of the others.",
}

#: An ethical role's name to the principle it reasons from.
ROLES: dict[str, str] = {
    "None": "",
    "Utilitarian": "Judge by consequences: prefer what brings the greatest well-being to the greatest number.",
    "Deontologist": "Judge by duties and rights: some acts are owed or forbidden whatever their results.",
    "Virtue Ethicist": "Judge by character: ask what a wise, just and courageous person would do.",
    "Libertarian": "Judge by liberty: prefer free choice, consent and ownership over compulsion.",
    "Rawlsian": "Judge from behind a veil of ignorance: prefer what is best for those who are worst off.",
    "Precautionary": "Judge by what could go wrong: where harm may be grave or lasting, proof of safety comes first.",
}


@dataclass(frozen=True)
class Example:
    """A question that fills the form."""

    domain: str
    question_type: str
    query: str


EXAMPLES: tuple[Example, ...] = (
    Example("Custom", "Open-ended", "Should a person keep a promise that has become harmful to keep?"),
    Example(
        "Custom",
        "Yes/No",
        "Is it right to read a partner's messages when you suspect that they are in danger?",
    ),
    Example(
        "Custom",
        "Multiple Choice",
        "One kidney, three patients. Who should get it? A) the youngest B) the sickest C) the one who waited longest",
    ),
    Example("Education", "Open-ended", "Should schools let pupils use AI tools for their homework?"),
    Example("Education", "Yes/No", "Should university education be free for everybody?"),
    Example(
        "Education",
        "Multiple Choice",
        "What should decide admission to a university? A) exams B) school grades C) a lottery D) interviews",
    ),
    Example("Healthcare", "Open-ended", "How should a hospital share out intensive-care beds in a pandemic?"),
    Example("Healthcare", "Yes/No", "Should vaccination be compulsory for people who work in hospitals?"),
    Example(
        "Healthcare",
        "Multiple Choice",
        "Who should decide for an unconscious patient? A) the family B) the doctors C) a court D) an ethics committee",
    ),
    Example("Policy", "Open-ended", "Should a country introduce an unconditional basic income?"),
    Example("Policy", "Yes/No", "Should voting be compulsory?"),
    Example(
        "Policy",
        "Multiple Choice",
        "How should a city cut its traffic? A) a toll B) fewer parking places C) free buses D) no new rules",
    ),
    Example("Science/Technology", "Open-ended", "Should the human germline ever be edited?"),
    Example(
        "Science/Technology",
        "Yes/No",
        "Should police be allowed to use live face recognition in public places?",
    ),
    Example(
        "Science/Technology",
        "Multiple Choice",
        "Who should answer for a self-driving car's accident? A) its maker B) its owner C) the programmer D) nobody",
    ),
    Example("Environmental", "Open-ended", "Should rich countries pay for climate damage in poor ones?"),
    Example("Environmental", "Yes/No", "Should short flights be banned where a train takes less than four hours?"),
    Example(
        "Environmental",
        "Multiple Choice",
        "What should replace coal first? A) nuclear B) wind and sun C) gas D) using less energy",
    ),
)
