"""What counts as an answer: errors, refusals, echoes and stubs are caught; prose that only begins like one is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot import answers
from folkmoot.catalogue import EXAMPLES, QUESTION_TYPES
from folkmoot.errors import AnswerInvalid
from folkmoot.prompts import Question, Synthesis, synthesis_prompt

QUERY = "Should voting be compulsory for everybody who is old enough?"
#: A consensus that can stand.
CONSENSUS = "Yes. The responses agree that voting should be easy, and differ on whether it may be a duty."

#: Error messages of providers, proxies, servers and programs, posing as an answer.
ERRORS = [
    "Error: connection refused",
    "error: rate limit exceeded",
    "ERROR 500",
    "Error code: 429 - {'error': {'message': 'Rate limit reached for model'}}",
    "Error",
    "⚠️ Error: the model could not be loaded",
    "**Error:** upstream request timeout",
    "[ERROR] the model crashed",
    "[Error: no response from model]",
    "<error>quota exceeded</error>",
    "Error! Something went wrong.",
    "Error. Please try again later.",
    "Error generating response: list index out of range",
    "Error while generating the completion",
    "Error querying the model: HTTPConnectionPool(host='127.0.0.1', port=11434): Max retries exceeded",
    "Internal Server Error",
    "500 Internal Server Error",
    "HTTP 503 Service Unavailable",
    "HTTP/1.1 502 Bad Gateway",
    "HTTP error 404",
    "502 Bad Gateway",
    "401 Unauthorized",
    "429 Too Many Requests",
    "404 Client Error: Not Found for url: http://127.0.0.1:11434/v1/chat/completions",
    "404 page not found",
    "Bad Gateway",
    "Gateway Timeout",
    "504 Gateway Time-out",
    "Service Unavailable",
    "Service temporarily unavailable. Please try again later.",
    "Too Many Requests",
    "Rate limit exceeded. Try again in 20 s.",
    "Rate limit reached for requests",
    "You exceeded your current quota, please check your plan and billing details.",
    "Insufficient quota",
    "Insufficient credits. Add more at the provider's site.",
    "Invalid API key",
    "Invalid API key provided: sk-****1234",
    "Incorrect API key provided",
    "Missing authentication",
    "No auth credentials found",
    "Request timed out.",
    "The request timed out",
    "Connection refused",
    "Connection error.",
    "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
    "The model is currently overloaded with other requests. Please try again later.",
    "The server had an error while processing your request. Sorry about that!",
    "Model not found",
    "The model `llama-9` does not exist or you do not have access to it.",
    "An error occurred while processing your request.",
    "An unexpected error has occurred",
    "Sorry, an error occurred while generating the response.",
    "Oops! Something went wrong. Please try again.",
    "Something went wrong, please try again later.",
    "Failed to generate a response",
    "Unable to get a response from the model",
    "Unable to process your request at this time.",
    "Exception: division by zero",
    "ValueError: too many values to unpack",
    "requests.exceptions.ConnectionError: HTTPConnectionPool(host='127.0.0.1')",
    "RuntimeError: CUDA error: out of memory",
    "CUDA out of memory. Tried to allocate 20.00 MiB",
    'Traceback (most recent call last):\n  File "main.py", line 3, in <module>\nValueError: no',
    "This model's maximum context length is 4096 tokens. However, your messages resulted in 5000 tokens.",
    '{"error": {"message": "no such model", "code": 404}}',
    '{"error": "overloaded"}',
    '{"detail": "Not Found"}',
    '{"errors": ["bad"]}',
    '  {"error": {"type": "server_error"}}\n',
    '[{"error": {"message": "overloaded"}}]',
    '```json\n{"error": {"message": "overloaded"}}\n```',
    '{"message": "Internal server error"}',
    '{"error": {"message": "cut',
    "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>",
    "<html>\n<head><title>503</title></head></html>",
    "<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>",
    "\n\n<html><body>nginx</body></html>",
]

#: Refusals to conclude.
REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t help with that.",
    "I am sorry, but I cannot assist with this request.",
    "I'm really sorry, but I'm unable to assist with that.",
    "Sorry, I can't help with that.",
    "Sorry, but I can't assist with that request.",
    "Sorry. I cannot do that.",
    "I'm sorry, I can't do that.",
    "I cannot help with that.",
    "I can't assist with this topic.",
    "I can not provide a consensus on this.",
    "I cannot provide a summary of these responses.",
    "I can't write a consensus on this topic.",
    "I cannot summarize the responses.",
    "I cannot summarise content of this kind.",
    "I cannot generate this content.",
    "I cannot create a consensus from harmful material.",
    "I cannot engage with this question.",
    "I cannot discuss this topic.",
    "I cannot respond to this question.",
    "I cannot answer that.",
    "I cannot fulfill this request.",
    "I cannot fulfil this request.",
    "I cannot comply with this request.",
    "I can't comply.",
    "I won't help with this.",
    "I will not write this.",
    "I must decline to answer this question.",
    "I have to decline this request.",
    "I decline to answer.",
    "I refuse to answer this question.",
    "I refuse to take part in this.",
    "I'm unable to help with this request.",
    "I am unable to provide an answer to this question.",
    "I am not able to assist with that.",
    "I'm not able to conclude from these responses.",
    "I am not allowed to discuss this.",
    "I'm not comfortable answering this question.",
    "As an AI language model, I cannot take a position on this question.",
    "As an AI, I don't have personal opinions and can't conclude.",
    "As a large language model, I am unable to answer this.",
    "As an artificial intelligence I do not hold views and cannot conclude.",
    "Unfortunately, I cannot help with this request.",
    "Unfortunately I'm unable to assist.",
    "I apologize, but I cannot fulfill this request.",
    "I apologise, but I can't help with that.",
    "Apologies, but I can't assist with that.",
    "My apologies, but I cannot provide an answer to this.",
    "This request violates our usage policies, so no answer is given.",
    "Your request goes against our content policy.",
    "**I'm sorry, but I can't help with that.**",
    "\n\n  I cannot help with that request.",
    "I'm afraid I can't do that.",
    "It is against my guidelines to answer this question.",
    "It would be inappropriate for me to answer this.",
]

#: Answers that begin like an error or a refusal, or speak of them, and are neither.
LEGITIMATE = [
    "Error is human, and a wise policy leaves room to correct mistakes before anybody is harmed by them.",
    "Error-prone humans should not decide alone; a second reader finds what the first one overlooked.",
    "Error rates in face recognition differ by skin colour, which alone is a reason to wait.",
    "Errors of judges cannot be undone once the sentence is carried out, so the panel says no.",
    "Error while driving is what kills most people on roads, so the makers' case is strong.",
    "Exceptions should exist for conscience, and the responses agree that they must be narrow.",
    "Exception or rule, mercy has to be open to everybody who asks for it in the same way.",
    "Failure is part of learning, and schools should let pupils fail safely and try again.",
    "Failure to act would also be a choice, and most responses count it as one.",
    "Failed to generate jobs, the last basic income trial still made people healthier and calmer.",
    "Unable to connect with their classmates, pupils who learn only at home lose more than lessons.",
    "Server rooms need water, and the responses agree that the price of it should be shown.",
    "Service unavailable to the poor is no public service, and that settles the matter for most.",
    "Service is owed to those who are worst off first, response A and response B agree.",
    "Too many requests for euthanasia come from loneliness, which a law cannot cure by itself.",
    "Rate limits are fair when they are the same for everybody, and unfair when money lifts them.",
    "Rate limiting the use of antibiotics protects later generations, as all responses hold.",
    "Rate limit policies protect shared goods, and the responses agree that they should be public.",
    "Insufficient quotas for women on boards have changed little; binding ones have changed much.",
    "The service is unavailable to rural patients today, which most responses call unjust.",
    "The model is not available to everybody, and that is the heart of the fairness argument.",
    "404 hospitals took part in the trial, and none of them saw a rise in complaints.",
    "I cannot support compulsory voting, because a right that must be used is no right any more.",
    "I cannot see how a ban would help; the responses point to prices and trains instead.",
    "I can't agree with a ban, since the evidence for harm is thin and the cost is certain.",
    "I will not pretend that the experts agree: two say yes, one says no, and each has reasons.",
    "I refuse to call this a dilemma, for both duties can be met by waiting one day.",
    "I am not able to reconcile compulsory voting with liberty, so the answer is no on balance.",
    "I am not comfortable with germline editing before its risks to later generations are known.",
    "I am unable to find a reason that outweighs consent, and the responses found none either.",
    "I'm afraid the honest answer is no, since the harm cannot be undone once it has happened.",
    "I am sorry for those who wait, and still the sickest should come first, the panel says.",
    "Sorry is not enough: those who polluted should pay for the damage, most responses hold.",
    "Sorry as one may feel for the owners, the coal has to stay in the ground.",
    "Unfortunately, no policy serves everybody; most responses prefer a toll with exemptions.",
    "Unfortunately, the evidence cannot settle this, and so the precautionary view prevails.",
    "As an ethical matter, the state cannot force a treatment on anybody who understands the risk.",
    "As an aid to teachers, such tools are welcome; as a replacement, the responses do not want them.",
    "As a large majority of the responses do not support the toll, the consensus is against it.",
    "As an artificial reef cannot replace a living one, protection comes before repair.",
    "As an AI tool can't be held responsible, its maker should answer for the accident, all agree.",
    "It is against human dignity to sell organs, and all three responses say so in their way.",
    "It would be against the interest of patients to hide the risk, so consent comes first.",
    "This request violates nobody's rights: a dying patient asks to be left in peace, and should be.",
    "No. Compulsion has no place here, response A and C hold, and B differs on the reasons only.",
    "Undecided. Two responses say yes and two say no, and neither side answers the other's point.",
]

#: Whole responses that are short or odd, and still answers.
SHORT = ["No.", "Yes", "Undecided.", "B", "42", "C) a court", "否", "Так.", "نعم", "Nein!", "**No.**", "👍 Yes", "¡Sí!"]


@pytest.mark.parametrize("text", ERRORS)
def test_an_error_posing_as_an_answer_is_caught(text: str) -> None:
    """An error as text is neither a response nor a consensus."""
    with pytest.raises(AnswerInvalid):
        answers.check_response(text)


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_no_consensus(text: str) -> None:
    """A text that does no more than refuse never stands as the consensus."""
    with pytest.raises(AnswerInvalid, match="refused"):
        answers.check_consensus(text, instructions="")


@pytest.mark.parametrize("text", REFUSALS)
def test_a_refusal_is_a_response(text: str) -> None:
    """What an agent declines to say is still what it said: it is no error."""
    answers.check_response(text)


@pytest.mark.parametrize("text", [*LEGITIMATE, *SHORT])
def test_prose_that_begins_like_an_error_is_a_response(text: str) -> None:
    """A response is not thrown away for how its first words sound."""
    answers.check_response(text)


@pytest.mark.parametrize("text", LEGITIMATE)
def test_prose_that_begins_like_a_refusal_is_a_consensus(text: str) -> None:
    """A consensus is not thrown away for how its first words sound."""
    answers.check_consensus(text, instructions="")


@pytest.mark.parametrize("prefix", ["Error: rate limits. ", "I cannot help with everything. ", "Too many requests. "])
def test_a_long_text_about_errors_is_prose(prefix: str) -> None:
    """A text of several paragraphs is judged as prose, whatever it speaks about."""
    text = prefix + "Limits that are the same for everybody protect a shared good, and the panel agrees. " * 12

    answers.check_consensus(text, instructions="")


def test_a_long_traceback_is_an_error() -> None:
    """A traceback stays an error however deep the stack was."""
    frames = '  File "serve.py", line 3, in answer\n    return model.generate(prompt)\n' * 20

    with pytest.raises(AnswerInvalid):
        answers.check_response(f"Traceback (most recent call last):\n{frames}RuntimeError: no")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\r\t\x0b\x0c\u2028\u2029\x85",
        "\x00",
        "\u200b",
        "...",
        "—",
        ">>>",
        "***",
        "[]",
        "{}",
        "_",
        "👍",
        "\ufeff",
    ],
)
def test_a_text_without_a_word_is_nothing(text: str) -> None:
    """What holds no word in any script is no response."""
    with pytest.raises(AnswerInvalid, match="nothing"):
        answers.check_response(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000 + " yes",
        '{"a":' * 50_000 + "1",
        "1" * 100_000,
        "no " * 33_334,
        "否" * 100_000,
        "a\x00b" * 30_000,
        ("\u202e" + "yes ") * 20_000,
        "sorry " * 20_000,
        "http " * 20_000,
        "api server model " * 6_000,
        "." * 100_000 + "a",
    ],
    ids=["brackets", "braces", "digits", "words", "CJK", "NUL", "RTL", "sorry", "http", "prefixes", "dots"],
)
def test_no_text_breaks_the_checks(text: str) -> None:
    """A hundred thousand characters of anything get a judgement, at once, and no other error."""
    try:
        answers.check_consensus(text, instructions=CONSENSUS)
    except AnswerInvalid as error:
        assert len(str(error)) < 300


@given(st.text(max_size=400))
def test_any_text_gets_a_judgement(text: str) -> None:
    """Whatever Unicode a model writes, a check passes or says why it does not, in one short line."""
    try:
        answers.check_consensus(text, instructions=text[::2])
    except AnswerInvalid as error:
        assert len(str(error)) < 300
        assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize(
    "text",
    [
        CONSENSUS,
        "投票はしやすくあるべきだが、義務にすべきかどうかでは意見が分かれている。",
        "各方都认为投票应当方便,但对是否应成为义务意见不一。",
        "투표는 쉬워야 하지만 의무여야 하는지는 의견이 갈린다.",
        "การลงคะแนนควรทำได้ง่าย แต่ยังเห็นต่างกันว่าควรเป็นหน้าที่หรือไม่",
        "يتفق الجميع على أن التصويت يجب أن يكون سهلا ويختلفون في كونه واجبا.",
        "मतदान आसान होना चाहिए, पर इस पर मतभेद है कि वह कर्तव्य हो या नहीं।",
        "Голосование должно быть простым, но мнения о долге расходятся.",
        "Η ψήφος πρέπει να είναι εύκολη, αλλά διαφωνούν για το καθήκον.",
    ],
    ids=["English", "Japanese", "Chinese", "Korean", "Thai", "Arabic", "Hindi", "Russian", "Greek"],
)
def test_a_consensus_may_be_in_any_language(text: str) -> None:
    """A whole sentence is no stub, whether or not its script writes words apart."""
    answers.check_consensus(text, instructions="")


@pytest.mark.parametrize("text", ["No.", "Yes, indeed.", "The answer is:", "はい。", "A, B, C"])
def test_a_stub_is_no_consensus(text: str) -> None:
    """Fewer than five words conclude nothing."""
    with pytest.raises(AnswerInvalid, match="stub"):
        answers.check_consensus(text, instructions="")


def prompt_for(query: str, kind: str = "None") -> Synthesis:
    """The prompt that the aggregator gets for this question and three short responses."""
    responses = [("None", "Yes, for it helps the poor."), ("None", "No, it costs too much."), ("Rawlsian", "Yes.")]
    return synthesis_prompt(Question(query, "Custom", kind), responses, seed="job", tokens=4000)


def test_an_echo_of_the_whole_prompt_is_no_consensus() -> None:
    """An aggregator that returns its prompt has not concluded."""
    prompt = prompt_for(QUERY)

    for message in prompt.messages:
        with pytest.raises(AnswerInvalid, match="repeated its prompt"):
            answers.check_consensus(
                message["content"], frame=prompt.frame, instructions=prompt.instructions, question=QUERY
            )


def test_an_echo_of_the_task_is_no_consensus() -> None:
    """The task alone, in other case and spacing, is recognised too."""
    prompt = prompt_for(QUERY)
    task = prompt.messages[1]["content"].rsplit("\n\n", 1)[1]

    with pytest.raises(AnswerInvalid, match="repeated its prompt"):
        answers.check_consensus(
            task.upper().replace(" ", "\n"), frame=prompt.frame, instructions=prompt.instructions, question=QUERY
        )


@pytest.mark.parametrize("frame", ["{}", "> {}", "Question: {}", "{} ", "**{}**"])
def test_the_question_once_more_is_no_consensus(frame: str) -> None:
    """An aggregator that gives the question back, framed or not, has not concluded."""
    prompt = prompt_for(QUERY)

    with pytest.raises(AnswerInvalid, match="repeated its prompt"):
        answers.check_consensus(
            frame.format(QUERY), frame=prompt.frame, instructions=prompt.instructions, question=QUERY
        )


def test_a_label_with_its_quotation_is_an_echo() -> None:
    """A prompt that was copied until the tokens ran out is no consensus, though its task was not reached."""
    prompt = prompt_for(QUERY)
    text = prompt.messages[1]["content"][:160]

    with pytest.raises(AnswerInvalid, match="repeated its prompt"):
        answers.check_consensus(text, frame=prompt.frame, instructions=prompt.instructions, question=QUERY)


def test_a_consensus_may_quote_the_responses() -> None:
    """Words of the responses are what a consensus is made of: they are no echo."""
    prompt = prompt_for(QUERY)
    text = "Yes, for it helps the poor. No, it costs too much. Two say yes, and one says no."

    answers.check_consensus(text, frame=prompt.frame, instructions=prompt.instructions, question=QUERY)


@pytest.mark.parametrize(
    ("query", "kind", "text"),
    [
        (
            "Should short flights be banned where a train takes less than four hours?",
            "Yes/No",
            "Yes, short flights should be banned where a train takes less than four hours.",
        ),
        (
            "Should police be allowed to use live face recognition in public places?",
            "Yes/No",
            "No. Police should not be allowed to use live face recognition in public places.",
        ),
        (
            "One kidney, three patients. Who should get it? "
            "A) the youngest B) the sickest C) the one who waited longest",
            "Multiple Choice",
            "C) The one who waited longest.",
        ),
    ],
    ids=["flights", "police", "kidney"],
)
def test_an_answer_in_the_words_of_the_question_is_a_consensus(query: str, kind: str, text: str) -> None:
    """A short consensus that answers in a whole sentence takes most of its words from the question."""
    prompt = prompt_for(query, kind)
    assert query in {example.query for example in EXAMPLES}

    answers.check_consensus(text, frame=prompt.frame, instructions=prompt.instructions, question=query)


@pytest.mark.parametrize("kind", QUESTION_TYPES)
def test_a_long_answer_to_a_long_question_is_a_consensus(kind: str) -> None:
    """A consensus that first repeats a question of a sentence, and then answers it, stands."""
    query = "Should a town that has one school and one clinic close the school to keep the clinic open at night?"
    prompt = prompt_for(query, kind)
    text = f"{query} Most responses say no. A child needs its school every day, and nights can be shared by towns."

    answers.check_consensus(text, frame=prompt.frame, instructions=prompt.instructions, question=query)


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("One is true. Two is tr", "One is true."),
        ("One is true! Two is true? Three", "One is true! Two is true?"),
        ('"One is true." Two is', '"One is true."'),
        ("It costs 3.5 million. And the res", "It costs 3.5 million."),
        ("No end in sight", "No end in sight"),
        ("", ""),
        ("All of it stands.", "All of it stands."),
        ("One is true.\n\nTwo is", "One is true."),
        ("賛成が多い。しかし、費用につい", "賛成が多い。"),
        ("多数赞成。但是费用", "多数赞成。"),
        (
            "The panel agrees on this point.\n\n1. Cost is low.\n\n2. Ti",
            "The panel agrees on this point.\n\n1. Cost is low.",
        ),
        (
            "The panel agrees on this point. **Costs are low.** The tim",
            "The panel agrees on this point. **Costs are low.**",
        ),
        ("मतदान आसान होना चाहिए। पर इस", "मतदान आसान होना चाहिए।"),
        ("هل يجب ذلك؟ نعم يج", "هل يجب ذلك؟"),
    ],
)
def test_a_text_that_ran_out_ends_at_a_sentence(text: str, whole: str) -> None:
    """What is kept of a text that ran out of length ends where its last whole sentence ends."""
    assert answers.whole_sentences(text) == whole


@given(st.text(alphabet="ab .!?。”\n", max_size=200))
def test_what_is_kept_is_a_beginning(text: str) -> None:
    """Cutting never changes or adds a word, and leaves at least a third."""
    kept = answers.whole_sentences(text)

    assert text.startswith(kept)
    assert len(kept) >= len(text) // 3


@given(st.text(max_size=600), st.integers(min_value=1, max_value=200))
def test_an_excerpt_is_one_short_line(text: str, chars: int) -> None:
    """A reason that people read holds no line break, and is never longer than asked."""
    excerpt = answers.excerpt(text, chars)

    assert len(excerpt) <= chars
    assert len(excerpt.splitlines()) <= 1
