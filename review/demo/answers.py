"""How people at a demo answer: by the skill of whom they speak of and their own leniency, by seeded dice."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from review.demo import words
from review.domain.responses import Answers, CustomerAnswer, SelfReview, Statement, SupervisorRating
from review.domain.scheme import LEVELS, Criterion, Level, Scheme, Source


@dataclass(frozen=True, slots=True)
class Character:
    """A person as the others meet them: how good (0 to 1) at each criterion, and how mild a judge."""

    skills: dict[str, float]
    leniency: float

    @property
    def skill(self) -> float:
        return sum(self.skills.values()) / len(self.skills)


def character(seed: str, skill: float, scheme: Scheme, drift: float) -> Character:
    """The same person for the same seed; `drift` is how much they have grown since the first cycle."""
    dice = random.Random(seed)
    skills = {criterion.key: min(1.0, max(0.0, skill + drift + dice.gauss(0, 0.1))) for criterion in scheme.criteria}
    return Character(skills, dice.gauss(0, 0.06))


def level(dice: random.Random, skill: float, leniency: float) -> Level:
    felt = skill + leniency + dice.gauss(0, 0.12)
    return LEVELS[0 if felt > 0.74 else 1 if felt > 0.42 else 2 if felt > 0.2 else 3]


def peer_answers(dice: random.Random, scheme: Scheme, rater: Character, subject: Character) -> Answers:
    """Every tenth answer is "cannot judge", as raters do."""
    return {
        criterion.key: None if dice.random() < 0.1 else level(dice, subject.skills[criterion.key], rater.leniency)
        for criterion in scheme.asked_of(Source.PEERS)
    }


def own_review(dice: random.Random, scheme: Scheme, person: Character) -> SelfReview:
    """People see themselves a little better than others do, and the best a little worse."""
    bias = 0.1 if person.skill < 0.7 else -0.06
    answers = {criterion.key: level(dice, person.skills[criterion.key], bias) for criterion in scheme.criteria}
    return SelfReview(answers, Statement(**words.statement(dice, person.skill)))


def rating(dice: random.Random, scheme: Scheme, supervisor: Character, subject: Character) -> SupervisorRating:
    """All criteria, with a comment wherever the scheme asks for one."""
    answers = {
        criterion.key: level(dice, subject.skills[criterion.key], supervisor.leniency) for criterion in scheme.criteria
    }
    comments = {
        key: words.rating_comment(dice, answer is LEVELS[0])
        for key, answer in answers.items()
        if answer in scheme.comments.required_for
    }
    return SupervisorRating(answers, comments, "")


def customer_answer(dice: random.Random, criteria: Sequence[Criterion], subject: Character) -> CustomerAnswer:
    """Stars around the agent's skill; most customers write nothing."""

    def stars(skill: float) -> int:
        return min(5, max(1, round(2.6 + 2.6 * skill + dice.gauss(0, 0.7))))

    given = {one.key: None if dice.random() < 0.05 else stars(subject.skills[one.key]) for one in criteria}
    overall = stars(subject.skill)
    comment = words.customer_comment(dice, overall)
    return CustomerAnswer(given, overall, comment, wants_contact=overall <= 2 and dice.random() < 0.4)
