"""The words by which a clause takes a side: what turns its sense round, what approves and what blames, what lets and what forbids."""

import re


def _any(words: str) -> re.Pattern[str]:
    """A pattern of these words and phrases, one a comma; `*` stands for any ending."""
    listed = [word.strip().replace("*", r"\w*").replace(" ", r"\s+") for word in words.split(",") if word.strip()]
    return re.compile(rf"(?<![\w'-])(?:{'|'.join(sorted(listed, key=len, reverse=True))})(?![\w'-])", re.IGNORECASE)


#: Holds a word that negates elsewhere, and negates nothing.
IDLE = _any("""
    no doubt, without doubt, without a doubt, without any doubt, without question, beyond doubt, beyond question, no question,
    not only, not just, not merely, not least, not simply, cannot help but, cannot but, no less, no matter, nothing but,
    whether or not, no longer than, not to mention, if not more, no wonder, not without reason, nothing short of,
    weighing * against, weighed * against, without delay, without hesitation, without reservation, without reservations, without exception, not long, right now, right away, at least, not to say, a little, for good, just as, only just, not until, no sooner, let me, let us, let's
""")
#: Turns the sense of its clause round.
TURNS = _any("""
    not, never, no, nobody, no one, none, nothing, neither, nor, cannot, without, hardly, scarcely, barely, rarely, far from,
    anything but, by no means, in no way, too much to, fail* to, instead of, rather than, little, refrain from, refrain, hard to defend, hard to justify, hard to see, hard to accept, hard to imagine, hard to believe, difficult to defend, difficult to justify, difficult to see, difficult to accept, difficult to imagine, lack*
""")
#: Takes a side against what its clause names.
AGAINST = _any("""
    against, oppose*, opposed, opposition to, object, objected, reject*, disagree*, disapprove*, doubt, doubts, doubtful, deny,
    denies, dispute, refuse, condemn, disbelieve, unconvinced, sceptical, skeptical, unlikely, improbable, implausible, false,
    untrue, a myth, impossible, wary, hesitate, unwilling, reluctant, advise against, unpersuaded, resist, untenable, dismiss,
    argue against, speaks against, speak against, thumbs down, improbability, inconceivable, unrealistic, far-fetched,
    out of the question, off the table, rule it out, rule this out, rule that out, rule out, ruled out, a stretch, wishful thinking, pessimistic
""")
#: Takes a side for what its clause names, when it is said by the writer or of the question.
FOR = _any("""
    support, supports, supported, favour, favours, favor, favors, in favour, in favor, favourable, endorse*, agree, agreed,
    concur, approve, back, welcome*, glad, happy to, advocate, defend, recommend, embrace, comfortable with, on board with, all for,
    side with, stand behind, get behind, on the side of, on the side, happy with, am for, are for, be for, be all for, convinced, confident, persuaded,
    speaks for, speak for, thumbs up, go that far, go so far, go as far, buy it, buy that, buy this, accept, condone, tolerate, subscribe to, deserves support, vote for, come round to, come around to, came round to, came around to, warmed to, lean toward, lean towards, leaning toward, leaning towards, gravitate toward, gravitate towards, optimistic, bet on it, count on it, betting on
""")
#: Approves of its subject.
GOOD = _any("""
    acceptable, justified, justifiable, justify, justifies, defensible, defended, right, rightly, correctly, wisely, fairly, appropriately, justly, ethically, ethical, ethically sound, moral,
    permissible, legitimate, good, sensible, reasonable, wise, fair, just, beneficial, worthwhile, necessary, essential, vital,
    desirable, advisable, sound, prudent, okay, ok, fine, appropriate, warranted, proper, make sense, makes sense,
    making sense, valuable, needed, overdue, worth, worth it, imperative, positive, commendable, excellent, sane, the answer, the solution, a solution, right course, only responsible, only sensible, only right, only reasonable, what we need, preferable,
    smart, overwhelming case for, strong case for, case for it, pays off, pay off, merit, merits, point in, need for, need of, reason to, reason enough to, reason for, justification for, basis for, grounds for, more good, best, wins out, a must, helpful, useful,
    indispensable, crucial, practical, workable, viable, proportionate, unobjectionable, in order, healthy, safe, the way forward, the way to go, right thing, effective, works, honourable, tolerable,
    excusable, admissible, unproblematic, benign, harmless, the right move, fair enough, a no-brainer, welcome step, progress
""")
#: Blames its subject.
BAD = _any("""
    wrong, wrongful, unacceptable, immoral, unethical, unjustified, unjustifiable, indefensible, impermissible, bad, unfair, unjust,
    unwise, foolish, a mistake, mistake, dangerous, reckless, irresponsible, unreasonable, cruel, intolerable, inappropriate,
    unnecessary, undesirable, inadvisable, unwarranted, pointless, counterproductive, counter-productive, impractical, illegitimate, folly, misguided,
    too *, overreach, more harm, violation, violates, violate, invasion, exploitation, a waste, waste of, be waste, unsafe, disastrous, premature, a betrayal,
    absurd, backfire*, disproportionate, paternalistic, excessive, repugnant, unconscionable, barbaric, inexcusable, error,
    ill-advised, untenable, unworkable, abhorrent, deplorable, senseless, heavy-handed, detrimental, a step too far, a step back, a step backward, a step backwards, step in the wrong direction, evil, terrible,
    horrible, awful, useless, ineffective, morally bankrupt, crosses a line, cross a line, objectionable, problematic, unhealthy,
    inhumane, negative, a disaster, futile, superfluous, wasteful, risky, hypocritical, sinful, blameworthy, reprehensible, misplaced, overrated,
    overblown, exaggerated, slippery slope, a distraction, the last thing, out of reach, better ways, better way, better options, better alternatives
""")
#: What something does, good or bad: an answer where the question asks what it does.
HELPS = _any("help, helps, helped, benefit*, improve*, protect*, strengthen*, advantage*, gain*, blessing, boost*")
HARMS = _any("""
    harm, harms, harmed, harmful, harming, hurt, hurts, damage, damages, damaging, endanger*, threaten*, threat, undermine*, weaken*,
    erode*, worsen*, ruin*, destroy*, curse, danger, dangerous, dangers, poison*, detriment*
""")
#: Lets something be.
PERMITS = _any("""
    allow, allows, allowed, allowing, permit, permits, permitted, permitting, let, letting, legal, legalise*, legalize*, legalising, lawful, authoris*,
    authoriz*, entitled, entitlement, have the right, have this right, have that right, be able to, free to, get to, access
""")
#: Ends something.
FORBIDS = _any("""
    ban, bans, banned, banning, forbid, forbidden, forbidding, prohibit*, prohibition, outlaw*, illegal, abolish*, abolition, stop,
    stopped, stops, end, ended, criminalis*, criminaliz*, scrap*, phase out, phased out, eliminate*, outlawed, off-limits, off limits, close, closed, closing, shut, should go, must go, have to go, has to go, ought to go, cease, phase them out, phase it out, dropped, drop, discard*, give up, gave up, given up, gave it up, give it up, give them up, abandon*, remove*, repeal*, cancel*, withdraw*, dismantle*, no place in, wound down, doing away with,
    do away with, get rid of, getting rid of, barred, deny this, deny that, denying, denied, banish*, curtail*
""")
#: Makes something a duty, or leaves it to each.
REQUIRES = _any("""
    compulsory, mandatory, require*, obligatory, oblige*, obligation, force*, compel*, mandate*, duty, coerc*, compulsion, must be made
""")
LEAVES = _any("""
    voluntary, optional, free to choose, their choice, own choice, freedom to choose, individual choice, personal choice, up to each, up to the individual,
    free choice, a choice, let people choose, voluntarily, freely, left to individuals, left to the individual, decide for themselves, choose for themselves, free to decide, up to them, up to people, none of the state
""")
#: Leaves things as they are.
KEEPS = _any("""
    stay, stays, remain, remains, keep, keeps, kept, retain*, preserve, continue*, leave, leaving, left, unchanged, as it is, as they are, status quo, change nothing, no change, untouched,
    hands off, maintain*
""")
#: Says how likely something is, or whether it holds: an answer to whatever is asked.
HOLDS = _any("""
    true, likely, certain, bound to, correct, plausible, inevitable, expect, expects, happen, happens, happening, come true, come about, the case, realistic, on track, almost certainly,
    feasible, a certainty, a matter of time, probable, foresee, predict
""")

#: Which way something changes.
MORE = _any(
    "more, higher, greater, increase*, increasing*, rais*, rise*, rose, better, faster, grow*, up, larger, stronger, safer"
)
LESS = _any(
    "down, less, fewer, lower*, decrease*, decreasing*, reduc*, declin*, drop*, fall*, fell, worse, slower, shrink*, smaller, weaker"
)
