"""What rules say in English, as people read it."""

import pytest
from django.utils import translation
from django.utils.safestring import mark_safe

from temphone.lib import catalogs
from temphone.said import in_english, said

SPAIN = (
    "No se permite llamar a este país: España. "
    "Un administrador puede permitirlo en Configuración, Adónde se puede llamar."
)
GREETED = '{{ a | default: "there" }}'


@pytest.fixture(autouse=True)
def catalog(settings) -> None:
    catalogs.compile_all(settings.LOCALES, settings.LOCALE_PATHS[0])


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("There is no number to call from.", "No hay ningún número desde el que llamar."),
        ("Call call_1 is in progress.", "La llamada call_1 está en curso."),
        ("Campaign Spring is running.", "La campaña Spring está en marcha."),
        (
            "Campaign Spring is paused. It holds its calls.",
            "La campaña Spring está en pausa. Retiene sus llamadas.",
        ),
        (
            f"uses 'a', which not every contact has. Give it a default: {GREETED}.",
            f"usa «a», que no todos los contactos tienen. Dele un valor predeterminado: {GREETED}.",
        ),
        (
            "Step 2 (Ask): answer 1 must not use tags such as {% if %}.",
            "Paso 2 (Ask): la respuesta 1 no debe usar etiquetas como {% if %}.",
        ),
        ("must be in the future.", "debe estar en el futuro."),
        (
            "It says nothing. Write what it says, or remove the step.",
            "No dice nada. Escriba lo que dice o quite el paso.",
        ),
        (
            "Answer 2 expects no words. Write some, such as: yes, gladly.",
            "La respuesta 2 no espera ninguna palabra. Escriba alguna, por ejemplo: sí, con gusto.",
        ),
        (
            "Written consent, marketing, recorded 2026-03-15T15:00:00Z.",
            "Consentimiento por escrito, comercial, registrado: 2026-03-15T15:00:00Z.",
        ),
        (
            "This needs the role operator; yours is viewer.",
            "Para esto hace falta el rol de operador; el suyo es el de lector.",
        ),
        (
            "Field 'contact_id' leads to a number that may not be called. Calls may go there.",
            "El campo «contact_id» lleva a un número al que no se puede llamar. Se puede llamar ahí.",
        ),
        (
            "Calls to Spain are not allowed. An admin can allow them under Setup, Where calls may go.",
            SPAIN,
        ),
        (
            "Field 'scheduled_at' is outside the contact's calling hours. Calls may go there.",
            "El campo «scheduled_at» queda fuera del horario de llamadas del contacto. Se puede llamar ahí.",
        ),
        ("Opted out, by hand, by Ada", "Se dio de baja, a mano, por Ada"),
    ],
)
def test_a_sentence_is_said_in_the_readers_language(english, spanish):
    with translation.override("es"):
        assert said(english) == spanish
    with translation.override("en"):
        assert said(english) == english


def test_what_no_rule_says_stays_as_it_is():
    with translation.override("es"):
        assert said("Ring Bob after lunch!") == "Ring Bob after lunch!"
        assert said("") == ""


def test_what_is_put_in_is_no_markup():
    with translation.override("es"):
        text = said(mark_safe("Campaign <b> is running."))

    assert text == "La campaña <b> está en marcha."
    assert not hasattr(text, "__html__")


def test_a_label_is_kept_in_english_whoever_reads():
    from campaigns.states import CampaignStatus

    with translation.override("es"):
        assert str(CampaignStatus.RUNNING.label) == "En marcha"
        assert in_english(CampaignStatus.RUNNING.label) == "Running"
