"""The phrases by which callees are understood, in English and Spanish: data, one phrase a line.

A line is a regular expression over plain words (small letters, no accents, no apostrophes); ``<name>``
stands for an entry of ``VOCABULARY``. They are matched at the borders of words.
"""

import re

VOCABULARY = {
    "call": "(?:call|phone|ring|contact|bother|disturb)",
    "calling": "(?:calls?|calling|phoning|ringing|contacting|bothering|disturbing|harassing|messages)",
    "called": "(?:<calling>|called|contacted|call me)",
    "these": "(?:(?:all|any|more|phone|of|with|the|these|those|this|your|from|you|to|be|being|further) )*",
    "never": (
        "(?:(?<!why )dont|do not|never|not to|shouldnt|should not|cant|can not|cannot|mustnt|must not)"
        "(?: you)?(?: ever)?(?: keep)?"
    ),
    "me": "(?:me|us)",
    "mine": "(?:my|our|this) (?:phone )?(?:name|number|details|data)",
    "day": "(?:mon|tues|wednes|thurs|fri|satur|sun)day",
    "later": (
        "(?:later|soon|tomorrow|tonight|another (?:time|day)|some other time|next|after|when|around|this"
        r"|in (?:an?|the|one|two|half|five|ten|\d+)|at \w+|(?:on )?<day>)"
    ),
    "press": (
        r"(?:press|dial|select|enter) (?:one|two|three|four|five|six|seven|eight|nine|zero|pound|star|\d)"
    ),
    # A personal or executive one is somebody.
    "assistant": r"(?:digital|virtual|automated|automatic|smart|ai|phone|call|voice) (?:\w+ )?assistant",
    "made": "(?:ai|artificial|automated|automatic|digital|virtual|phone|call)",
    "thing": "(?:assistant|agent|attendant|receptionist|secretary|system|service|bot|helper)",
    "trying": "(?:calling|called|dialed|dialing|trying|reach|want)",
    "tell": "(?:state|say|speak|give|record|announce)",
    "your_name": r"your (?:\w+ and )?(?:full |first |last |own )?name",
    "negated": "(?:dont|doesnt|hasnt|havent|do not|does not|has not|have not)",
    "owner": "(?:person|party|owner|number|subscriber|user|customer)",
    "whose": "(?:person|owner|user|customer|subscriber)",
    "hears": "(?:decide|choose|hear|see|read|know|listen|pick|answer|take|join|respond|speak|talk|get|be)",
    "callers": "(?:numbers?|callers?|calls?)",
    "about": "(?:about|regarding|concerning|calling|want|need)",
    "here": "(?:here|by that name|with that name|called that)",
    "somebody": "(?:him|her|them|anyone|anybody|that person|this person|the person|any such|who you)",
    "transfer": (
        "(?:(?:transfer|connect|forward|redirect|switch)(?:r?ed|ing)?"
        "|(?:put|pass|hand)(?:ed|ing)? <me> (?:through|on|over|to)"
        "|(?:speak|talk) (?:to|with) \\w+)"
        "(?: <me>)?"
    ),
    # What is said around the one word that all languages ask for to stop the calls.
    "politely": (
        "(?:please|just|now|it|this|thanks|thank you|no|yes|yeah|ok|okay|hey|sorry"
        "|por favor|ya|gracias|si|s ?il (?:vous|te) plait|merci|non|oui|maintenant"
        "|bitte|danke|nein|ja|jetzt|sofort|per (?:favore|piacere|cortesia)|grazie|ora|adesso"
        "|obrigad[oa]|nao|sim|agora)"
    ),
    "nunca": "(?:no|nunca|ya no|jamas)",
    "llamar": "(?:llamar|marcar|contactar|telefonear|molestar)(?:me|nos)?",
    "llame": "(?:llame[ns]?|marquen?|marques|contacten?|molesten?|molestes|telefoneen?)",
    "dia": "(?:lunes|martes|miercoles|jueves|viernes|sabado|domingo)",
    "luego": (
        "(?:mas tarde|manana|luego|despues|otro (?:dia|momento)|esta (?:tarde|noche)|el <dia>"
        "|la proxima|en (?:una?|media|dos))"
    ),
}

STOP = r"""
^(?:<politely> )*(?:stopp?|alto|basta|baja)(?: (?:stopp?|basta|<politely>))*$
stop <these><calling>
(?:quit|cease|no more|enough|end|cancel) <these><calling>
<never> <call>(?:ing)?(?: <me>| here| back| again| any ?more| this| my| our|$)
<never> calling
no longer <call>
(?:dont|do not|no longer|never) (?:want|wish|like|need|care)(?: to)?(?: get| receive| have)? <these><called>
(?:dont|do not|never) (?:want|wish) to hear from you
(?:take|remove|delete|erase|cross|scratch|strike|drop|get) (?:<me>|<mine>) (?:off|from|out of)
(?:remove|delete|erase) <me>
(?:remove|delete|erase|lose|forget|block) <mine>
unsubscribe
opt(?:ing)?(?: me| us)? out
(?:do not|dont) call (?:list|registry)
leave <me> (?:alone|in peace|be)
<nunca>(?: <me>| me| nos)?(?: vuelvan?| vuelvas)? a <llamar>
<nunca> (?:me |nos )?<llame>
(?:deje[ns]?|deja|dejad|pare[ns]?|para|basta) (?:ya )?de (?:<llamar>|llamadas)
(?:quite|quiten|quita|saque|saquen|saca|elimine|eliminen|elimina|borre|borren|borra)(?:me|nos)
(?:quiten?|saquen?|eliminen?|borren?) (?:mi|este|nuestro) (?:numero|nombre|telefono)
no (?:quiero|queremos|deseo) (?:que (?:me|nos) <llame>|(?:recibir )?(?:mas |sus |estas |otra )*llamadas?)
(?:darme|deme|denme|dame|doy) de baja
no mas llamadas
"""

WRONG_PERSON = r"""
wrong (?:number|person|guy|phone|house|one)
(?:no one|nobody|noone|there is no|theres no|there isnt any(?:one)?) (?:\w+ ){0,3}<here>
(?:im|i am|this is|thats|that is) not (?:<somebody>|the one you|the right person)
not (?:him|her|the person you|who you)
(?:doesnt|does not|dont|do not|no longer) (?:lives?|works?) (?:here|there|with us|for us|at this)
(?:isnt|is not|no longer has) (?:at )?this (?:number|phone)
(?:never heard of|dont know|do not know) <somebody>
(?:numero|persona) equivocad[oa]
(?:esta|se ha|se|te has|te) equivoc(?:ado|ada|o|aste)
(?:aqui )?no (?:vive|trabaja|hay|esta)(?: \w+){0,2} (?:aqui|con ese nombre)
aqui no (?:vive|trabaja|es|hay)
no (?:conozco|soy)(?: a)? (?:el|ella|esa persona|nadie|la persona)
"""

CALLBACK = r"""
(?:call|ring|phone|try)(?: <me>)?(?: back| again)? <later>
(?:call|ring|phone) <me> (?:back|again)
(?:can|could|would|will) you (?:please )?(?:call|ring|phone|try) (?:back|again)
call back
(?:not a good|a bad|bad) (?:time|moment)
(?:llam|marqu|vuelv|intent)\w*(?: (?:me|nos|a llamar|a llamarme|a intentarlo))* <luego>
vuelv[ae]n? a llamar(?:me|nos)?
devuelv\w+ la llamada
(?:no es|mal) (?:un )?(?:buen )?momento
"""

REPEAT = r"""
^(?:sorry )?(?:what|huh|pardon|excuse me|come again|sorry|como|que|mande|perdon)(?: please| sorry| that)?$
(?:say|repeat|tell me) (?:that|it|this|the message)(?: again| once more|$)
(?:can|could|would|will) you (?:please )?repeat
once (?:again|more)
(?:didnt|did not|couldnt|could not|cant|cannot) (?:quite )?(?:hear|catch|get|understand|follow)
what (?:was that|did you say)
(?:repita|repite|repetir|repitalo|repitelo)
no (?:le |te |lo )?(?:escuche|escucho|entendi|entiendo|oi|oigo)
como dij(?:o|iste)
"""

NO_TRANSFER = r"""
<never> (?:want |like |wish |need )?(?:to |you to |me to )?(?:be |get )?<transfer>
(?:no|not a|without(?: a)?) transfer(?:s|ring)?
(?:wait|hold on|hang on|not now)
no (?:me |nos )?(?:quiero que (?:me |nos )?)?(?:transfiera|pase|comunique|conecte|ponga)[ns]?
(?:espere|espera|un momento)
"""

THANKS = r"""
thanks|thank you|gracias|please|por favor|go ahead|adelante
"""

NOT_A_NO = r"""
no (?:problem|worries|trouble|doubt)
not a problem
why not
sin problema
no hay problema
como no
"""

NO = r"""
no|nope|nah|not|never|negative|unable|afraid
cant|cannot|wont|dont|doesnt|isnt|didnt
tampoco|nunca|negativo
"""

YES = r"""
yes|yeah|yep|yup|sure|ok|okay|alright|all right|of course|absolutely|definitely|certainly
correct|right|exactly|indeed|works|fine|perfect|great|good|agreed|confirm|confirmed
i will|ill be there|please do
si|claro|por supuesto|de acuerdo|esta bien|vale|correcto|perfecto|confirmo|bueno|asi es
"""

FILLER = r"""
^(?:(?:m+|h+m+|mhm+|mm? ?hm+|u+h+|u+m+|a+h+|e+h+|e+r+|uh huh|aha|hm|o+h+|ay) ?)+$
"""

SCREENING = r"""
<tell> <your_name> (?:after|at) the tone
call (?:screening|assist)
screening (?:service|this call|your call|the call)
(?:being|is) screened
screens calls
copy of this conversation
virtual assistant
google .*(?:assistant|voice|screen)
(?:see|check) if (?:this person|the person|they are|theyre|he is|she is) (?:is )?available
before i (?:try to )?connect you
before connecting (?:you|your call)
call (?:protection|blocking|filter(?:ing)?|guard|defen[sc]e)
(?:does not|doesnt|do not|dont) (?:accept|take|answer) (?:calls )?(?:from )?(?:unknown|private|anonymous)
<assistant> (?:for|of)
(?:i am|im|this is|its|using) (?!this )(?:\w+ ){0,3}<assistant>
(?:answered|handled|taken) by (?:\w+ ){0,3}<assistant>
(?:answering|screening|picking up|taking calls?) (?:\w+ ){0,2}on behalf of
"""

VOICEMAIL = r"""
(?<!to )leave (?:an? |your |me |us )*(?:brief |short |detailed |quick )*(?:message|name|number)
(?:after|at|following) the (?:tone|beep|signal)
voice ?mail|mailbox|answering machine
record (?:your|a) message
accept any(?: \w+)? messages
dej[ea]n?(?:nos|me)? (?:su|un|tu|el) (?:mensaje|recado)
(?:despues|tras|al oir) (?:del|de la|el|la) (?:tono|senal)
buzon
"""

PURPOSE = r"""
record your name
(?:say|state|announce) <your_name>
(?:say|state) who you are
(?:reason|purpose) (?:for|of) (?:your |the |this )?call(?:ing)?
name and (?:your |the )?(?:reason|purpose|why)
why (?:youre|you are) calling
(?:announce|identify) yourself
calls? (?:is|are|being) announced
callers? (?:to this line )?(?:is|are) (?:announced|screened|checked)
(?:if|whether) (?:theyd|he would|she would|they would|they) (?:like|want|wish)(?: to)? (?:speak|talk|take)
<tell> <your_name>(?: \w+){0,12} (?:connect you|announce you|(?:is|are) available|put you through)
before your call (?:is|can be|goes) (?:connected|put through|answered)
(?:asked|choosing|deciding|decides?|chooses?) (?:\w+ ){0,2}whether to (?:accept|take|answer)
(?:robot|bot|software) (?:has )?(?:picked up|taken|answered) (?:this|your|the) call
(?:take|accept|answer|pick up)s (?:calls from )?<callers> (?:he|she) <negated>
(?:doesnt|does not) (?:take|accept|answer|pick up) (?:calls from )?<callers> (?:he|she) <negated>
(?:diga|grabe|indique) su nombre
motivo de (?:su|la) llamada
"""

# Whoever calls is to say who they are, or what they want ...
ASKED_WHO = r"""
(?:who|whos|whose) (?:\w+ ){0,2}(?:calling|ringing|phoning|speaking|this|it|on the (?:line|phone))
(?:who|whos) (?:\w+ ){0,2}(?:you are|youre|am i|i am)
who (?:may|shall|can|should) (?:i|we) (?:say|tell)
<your_name>
(?:introduce|identify) yourself
(?:what|which) (?:company|organi[sz]ation|business) (?:you|youre|you are|is|are)
(?:tell|give|let) <me> (?:know )?(?:\w+ ){0,3}(?:who|what|why|your|about)
what(?:s| is)? (?:this|it|its|that|thats|youre|you|the call|your call) (?:\w+ ){0,3}<about>
your relation(?:ship)?
(?:reason|purpose|nature|subject|topic) (?:for|of|behind)
why (?:you|they|are you|did you|the|this) (?:\w+ )?call
(?:say|state|explain|describe|briefly) (?:\w+ ){0,3}(?:who|what|why|your)
"""

# ... and it is no person who says so.
STANDS_BETWEEN = r"""
(?:the|this|that) <owner> (?:that |whom )?you(?:re| are| were|ve| have)? (?:\w+ )?<trying>
(?:tell|notify|inform|ask|asking|asked|alert|connect|reach|try|with) the <whose>
the <whose> (?:can|will|may|might|would|could) (?:\w+ )?<hears>
(?:before|until) (?:i|we|your call|this call) (?:\w+ )?connect
(?:your|this) (?:phone )?number (?:is not|isnt) (?:in|on|among|recogni[sz]ed|known|saved)
(?:not|arent|isnt) (?:in|on|among) (?:his|her|their|the|this) (?:contacts?|list|address book|phone ?book)
(?:calls?|callers?) (?:are|is|being) (?:filtered|screened|guarded|checked|monitored)
(?:filters?|screens?|guards?|checks?) (?:all |every |unknown |incoming )*<callers>
(?:i am|im|this is|its|heres|reached|by|with|speaking to) (?!this )(?:\w+ ){0,3}<made> (?:\w+ )?<thing>
(?:i am|im|this is|its) (?!this )(?:\w+ ){0,2}(?:an ai|the ai|a bot|a robot|(?:phone|call) ?bot)
<made> (?:\w+ )?<thing> (?:here|of|answering|for (?:the|a|mr|mrs|ms|dr)?)
(?:assistant|bot|robot) (?:answering|answers|picking up|picks up) (?:for|instead|on)
ai that (?:picks|answers|takes)
(?:answered|taken|handled) by an? (?:ai|bot|robot)
(?:read|reads|reading|see|sees|seeing|hears?) (?:what you (?:say|tell)|your (?:answer|words|reply))
what(?:ever)? you (?:say|tell me) (?:is being|will be|appears|shows)
"""

IVR = r"""
<press>
main menu|menu options|following options|listen carefully|your call is important
partys? extension|hang up and dial
for english
(?:say|enter|press) or (?:say|enter|press)
please (?:say|answer) (?:yes|no) or (?:yes|no)
in a few words (?:please )?(?:tell|say|describe)|you can (?:also )?say things like
next available (?:agent|advis[eo]r|representative|operator)
(?:number|position|place) \w+ in the queue|your call will be answered
followed by the (?:hash|pound|star)
(?:for|to) (?:\w+ ){1,3}say \w+ (?:for|to) (?:\w+ ){1,3}say
(?:oprima|marque|presione|pulse) (?:el )?(?:uno|dos|tres|cero|\d)
"""

GREETING = r"""
you(?:ve| have)? reach(?:ed)?
(?:person|party|customer|subscriber|number) you (?:are|were|have) (?:calling|called|dialed|trying)
will (?:call|get back to) you (?:back )?as soon as
"""

# What no human says in the middle of a conversation.
MACHINE = r"""
(?:after|at|following) the (?:tone|beep|signal)
record (?:your|a) message
(?:forwarded|transferred) to (?:an? )?(?:automated )?(?:voice|answering|automatic)
mailbox (?:is full|belongs)
(?:cant|cannot|can not|unable to|not able to) (?:take|answer) your call
accept any(?: \w+)? messages
(?:you have|youve) reached the (?:voice|mail)
(?:say|state|record) your name and
before i (?:try to )?connect you
(?:<press>.*){2}
for (?:\w+ ){1,4}<press>
(?:press|dial|select|enter) (?:one|two|three|four|five|six|seven|eight|zero|pound|star|[0-8]) (?:for|to)
menu options|following options|listen carefully as|your call is important|partys? extension|hang up and dial
(?:despues|tras|al oir) (?:del|de la|el|la) (?:tono|senal)
"""

# Said at length, it means that nobody is there.
ABSENCE = r"""
(?:cant|cannot|unable to|not able to) (?:come to|get to|answer|take|pick up)(?: \w+){0,3} (?:phone|call)
(?:not|isnt|arent) (?:available|here|in)\b
(?:sorry|apologies) (?:i|we|that i|that we)(?: have)? missed
(?:ill|i will|well|we will) (?:get back|call you|return your call|give you a call)
away from (?:my|the|our) (?:phone|desk)
(?:office|store|clinic|practice|shop|we|lines?) (?:is|are) (?:currently |now )?closed
you know what to do
on (?:the other line|another call|vacation|holiday)
no (?:puedo|podemos|esta disponible)|en este momento no
"""

# Said to somebody who is there.
ADDRESS = r"""
(?:who|whos) (?:is|are|this|am i)
(?:can|could|may|shall) i (?:help|ask|take|tell)
(?:how|what) (?:can|may) (?:i|we) (?:help|do)
would you like
(?:is|this is) \w+ speaking|speaking
hello(?: \w+)? hello
quien (?:es|habla|llama)|digame|en que (?:puedo|le puedo)
"""

# Somebody repeats our own words, or asks about them.
MENU_ASIDE = r"""
(?:do|should|shall|can|must|did|why would) (?:i|you|we)(?: \w+){0,3} (?:press|dial) \w+
(?:you (?:said|say|mean|want me to)|what|which|to) (?:press|dial) \w+
^(?:press|dial) (?:nine|9)\b
"""


def pattern(phrases: str) -> re.Pattern[str]:
    """A pattern that finds any of these phrases, one a line."""
    lines = (rf"(?:^|\b)(?:{line})(?:\b|$)" for line in phrases.strip().splitlines())
    return re.compile("|".join(map(_spelled_out, lines)))


def _spelled_out(line: str) -> str:
    while (spelled := re.sub(r"<(\w+)>", lambda name: VOCABULARY[name[1]], line)) != line:
        line = spelled
    return line
