"""What is said in every call beside the agent's own texts, by language: no agent can leave it out.

Each ``stop`` names words that ``understanding.asks_to_stop`` knows. ``{who}`` is the organisation.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentences:
    """Those of one language."""

    language: str
    hello: str  # who calls
    this_is: str  # the same to a call screener: the agent's purpose follows
    recorded: str
    stop: str  # how to stop these calls
    stop_later: str  # the same on a voicemail, where nobody can answer
    stopped: str
    no_answer_now: str
    connecting: str
    not_connected: str


ENGLISH = Sentences(
    language="en",
    hello="Hello, this is an automated AI assistant calling for {who}.",
    this_is="This is an automated AI assistant calling for {who}",
    recorded="This call may be recorded.",
    stop="To stop these calls, press 9 or say stop calling.",
    stop_later="To stop these calls, say stop calling when we call.",
    stopped="Understood. We will not call this number again.",
    no_answer_now="I am sorry, I cannot answer that right now.",
    connecting="One moment, I am connecting you.",
    not_connected="I am sorry, I could not connect you.",
)
SPANISH = Sentences(
    language="es",
    hello="Hola, le habla un asistente automático de inteligencia artificial que llama de parte de {who}.",
    this_is="Le habla un asistente automático de inteligencia artificial que llama de parte de {who}",
    recorded="Esta llamada puede ser grabada.",
    stop="Para no recibir más llamadas, pulse 9 o diga: no me llame más.",
    stop_later="Para no recibir más llamadas, diga cuando llamemos: no me llame más.",
    stopped="Entendido. No volveremos a llamar a este número.",
    no_answer_now="Lo siento, ahora mismo no puedo responder a eso.",
    connecting="Un momento, le paso la llamada.",
    not_connected="Lo siento, no he podido pasarle la llamada.",
)
FRENCH = Sentences(
    language="fr",
    hello="Bonjour, ici un assistant automatique d'intelligence artificielle, de la part de {who}.",
    this_is="Ici un assistant automatique d'intelligence artificielle, de la part de {who}",
    recorded="Cet appel peut être enregistré.",
    stop="Pour ne plus recevoir ces appels, appuyez sur la touche 9 ou dites : stop.",
    stop_later="Pour ne plus recevoir ces appels, dites lorsque nous appelons : stop.",
    stopped="C'est noté. Nous n'appellerons plus ce numéro.",
    no_answer_now="Je suis désolé, je ne peux pas répondre à cela pour le moment.",
    connecting="Un instant, je vous mets en relation.",
    not_connected="Je suis désolé, je n'ai pas pu vous mettre en relation.",
)
GERMAN = Sentences(
    language="de",
    hello="Guten Tag, hier spricht ein automatischer KI-Assistent im Auftrag von {who}.",
    this_is="Hier spricht ein automatischer KI-Assistent im Auftrag von {who}",
    recorded="Dieses Gespräch wird möglicherweise aufgezeichnet.",
    stop="Wenn Sie keine Anrufe mehr wünschen, drücken Sie die 9 oder sagen Sie: Stopp.",
    stop_later="Wenn Sie keine Anrufe mehr wünschen, sagen Sie bei unserem Anruf: Stopp.",
    stopped="Verstanden. Wir rufen diese Nummer nicht mehr an.",
    no_answer_now="Das kann ich im Moment leider nicht beantworten.",
    connecting="Einen Moment, ich verbinde Sie.",
    not_connected="Ich konnte Sie leider nicht verbinden.",
)
ITALIAN = Sentences(
    language="it",
    hello="Buongiorno, sono un assistente automatico di intelligenza artificiale, per conto di {who}.",
    this_is="Sono un assistente automatico di intelligenza artificiale, per conto di {who}",
    recorded="Questa chiamata potrebbe essere registrata.",
    stop="Per non ricevere più queste chiamate, prema 9 o dica: basta.",
    stop_later="Per non ricevere più queste chiamate, dica quando chiamiamo: basta.",
    stopped="Ho capito. Non chiameremo più questo numero.",
    no_answer_now="Mi dispiace, al momento non posso rispondere a questa domanda.",
    connecting="Un momento, trasferisco la chiamata.",
    not_connected="Mi dispiace, non è stato possibile trasferire la chiamata.",
)
PORTUGUESE = Sentences(
    language="pt",
    hello="Olá, aqui fala um assistente automático de inteligência artificial em nome de {who}.",
    this_is="Aqui fala um assistente automático de inteligência artificial em nome de {who}",
    recorded="Esta chamada pode ser gravada.",
    stop="Para não receber mais estas chamadas, pressione 9 ou diga: basta.",
    stop_later="Para não receber mais estas chamadas, diga quando ligarmos: basta.",
    stopped="Entendido. Não voltaremos a ligar para este número.",
    no_answer_now="Lamento, não posso responder a isso agora.",
    connecting="Um momento, vou transferir a chamada.",
    not_connected="Lamento, não foi possível transferir a chamada.",
)
ALL = {sentences.language: sentences for sentences in (ENGLISH, SPANISH, FRENCH, GERMAN, ITALIAN, PORTUGUESE)}


def sentences_in(language: str) -> Sentences:
    """Those of this language (BCP 47), wherever it is spoken; the English ones where there are none."""
    return ALL.get(language.partition("-")[0].lower(), ENGLISH)
