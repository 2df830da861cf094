"""Playbooks as the editor and programs write them."""


def an_answer(*phrases: str, **fields: object) -> dict[str, object]:
    return {"phrases": list(phrases), **fields}


def a_step(name: str, say: str = "Well?", *branches: dict, **fields: object) -> dict[str, object]:
    return {"name": name, "say": say, "branches": list(branches), **fields}


BOOKING = [
    a_step(
        "Ask",
        "Can you come, {{ first_name | default: 'dear guest' }}?",
        an_answer("yes", "gladly", say="Wonderful.", to="When", field="comes", value="yes"),
        an_answer("no", say="A pity.", outcome="answered_human", field="comes", value="no"),
        an_answer("somebody", say="One moment.", transfer="the desk"),
        an_answer("forget it", outcome="opted_out"),
    ),
    a_step("When", "Morning or afternoon?", an_answer("morning"), otherwise=an_answer(say="Noted.")),
]
QUESTIONS = [{"name": "comes", "text": "Do they come?", "type": "yes_no"}]
DESK = {"the desk": "+14155550100"}
