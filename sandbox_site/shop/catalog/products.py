"""What the shop sells, in its own words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .text import Text

BICYCLE_SIZES = ("S", "M", "L")
CLOTHING_SIZES = ("S", "M", "L", "XL")
HELMET_SIZES = ("52–56 cm", "57–61 cm")


@dataclass(frozen=True, slots=True)
class Item:
    """A product with a variant for each colour and size, or none if it has neither.

    ``categories`` are keys of ``structure.CATEGORIES``, the first is the primary one.
    ``related`` are pairs of a relationship's key and a product number. What has no
    title in a language is not translated into it; some have none in French, and some
    have a title and a summary, but no description.
    """

    number: str
    title: Text
    template: str
    categories: tuple[str, ...]
    drawing: str
    price: float
    summary: Text
    description: Text
    colours: tuple[str, ...]
    sizes: tuple[str, ...] = ()
    values: dict[str, Any] = field(default_factory=dict)
    related: tuple[tuple[str, str], ...] = ()
    status: str = "Approved"
    archived: bool = False
    deactivate_on: str | None = None


BICYCLES = [
    Item(
        "SW-101",
        Text("Lantern 8", "Stadtrad Lantern 8", "Vélo de ville Lantern 8"),
        "Bicycle",
        ("bicycles/city/classic", "first-commute", "rain-or-shine"),
        "diamond",
        1090.0,
        Text(
            "The city bicycle that is ready before you are.",
            "Das Stadtrad, das schon fertig ist, bevor Sie es sind.",
            "Le vélo de ville qui est prêt avant vous.",
        ),
        Text(
            "<p>A steel frame, an eight-speed hub and a dynamo that never needs "
            "charging: the Lantern is the bicycle we lend to friends. Mudguards, "
            "rack and lights are part of it, not extras.</p>"
            "<ul><li>Hub gear, no derailleur to knock</li>"
            "<li>Puncture-resistant tyres, 42 mm wide</li>"
            "<li>First service free within a year</li></ul>",
            "<p>Ein Stahlrahmen, eine Achtgangnabe und ein Dynamo, der nie geladen "
            "werden muss: Das Lantern ist das Rad, das wir Freunden leihen. "
            "Schutzbleche, Träger und Licht gehören dazu.</p>"
            "<ul><li>Nabenschaltung ohne empfindliches Schaltwerk</li>"
            "<li>Pannensichere Reifen, 42 mm breit</li>"
            "<li>Erste Inspektion im ersten Jahr kostenlos</li></ul>",
            "<p>Un cadre en acier, un moyeu à huit vitesses et une dynamo qui ne se "
            "recharge jamais : le Lantern est le vélo que nous prêtons à nos amis. "
            "Garde-boue, porte-bagages et éclairage sont compris.</p>"
            "<ul><li>Vitesses dans le moyeu, rien à dérégler</li>"
            "<li>Pneus anticrevaison de 42 mm</li>"
            "<li>Première révision offerte la première année</li></ul>",
        ),
        ("Moss", "Ink", "Brick"),
        BICYCLE_SIZES,
        {
            "Brand": "Spokewell Works",
            "RidingStyles": "Commuting~Shopping",
            "FrameMaterial": "Steel",
            "Gears": 8,
            "Weight": 15.4,
            "Electric": False,
            "AvailableFrom": "2025-03-01T00:00:00Z",
            "Equipment": "Mudguards~Rear rack~Dynamo light~Kickstand",
        },
        (("goes-with", "SW-401"), ("goes-with", "SW-408"), ("upgrade", "SW-103")),
    ),
    Item(
        "SW-102",
        Text("Willow 7", "Tiefeinsteiger Willow 7", "Vélo à cadre bas Willow 7"),
        "Bicycle",
        ("bicycles/city/step-through", "first-commute"),
        "step-through",
        990.0,
        Text(
            "Step on, sit up, see over the traffic.",
            "Aufsteigen, aufrecht sitzen, über den Verkehr schauen.",
            "Montez, redressez-vous, voyez loin.",
        ),
        Text(
            "<p>The low frame makes the Willow easy in a skirt, with a child on the "
            "back, or at the thirtieth red light of the day. Swept-back bars keep "
            "your wrists straight.</p>"
            "<ul><li>Step height of 38 cm</li><li>Leather saddle, two springs</li>"
            "</ul>",
            "<p>Der tiefe Durchstieg macht das Willow bequem: im Rock, mit Kind "
            "hinten oder an der dreißigsten roten Ampel des Tages. Der Lenker hält "
            "die Handgelenke gerade.</p>"
            "<ul><li>Einstieg auf 38 cm</li><li>Ledersattel mit zwei Federn</li></ul>",
            "<p>Son cadre bas rend le Willow facile : en jupe, avec un enfant à "
            "l’arrière ou au trentième feu rouge de la journée. Le guidon garde les "
            "poignets droits.</p>"
            "<ul><li>Enjambement à 38 cm</li><li>Selle en cuir à ressorts</li></ul>",
        ),
        ("Plum", "Chalk"),
        BICYCLE_SIZES,
        {
            "Brand": "Spokewell Works",
            "RidingStyles": "Commuting~Shopping~Family",
            "FrameMaterial": "Steel",
            "Gears": 7,
            "Weight": 16.1,
            "Electric": False,
            "AvailableFrom": "2024-09-15T00:00:00Z",
            "Equipment": "Mudguards~Rear rack~Dynamo light~Frame lock~Kickstand",
        },
        (("goes-with", "SW-409"), ("upgrade", "SW-103"), ("instead", "SW-101")),
    ),
    Item(
        "SW-103",
        Text("Harbour E", "Elektrorad Harbour E", "Vélo électrique Harbour E"),
        "Bicycle",
        ("bicycles/city/step-through", "first-commute", "rain-or-shine"),
        "electric",
        2890.0,
        Text(
            "A quiet hand on your back, for up to 120 km.",
            "Eine ruhige Hand im Rücken, bis zu 120 km weit.",
            "Une main dans le dos, jusqu’à 120 km.",
        ),
        Text(
            "<p>The motor of the Harbour sits low and whispers. Its belt needs no "
            "oil, so your trousers stay clean, and the battery comes out with one "
            "turn of the key.</p>"
            "<ul><li>504 Wh battery, made to be replaced</li>"
            "<li>Belt drive for 20,000 km</li></ul>",
            "<p>Der Motor des Harbour sitzt tief und flüstert. Der Riemen braucht "
            "kein Öl, die Hose bleibt sauber, und der Akku lässt sich mit einer "
            "Schlüsseldrehung entnehmen.</p>"
            "<ul><li>Akku mit 504 Wh, austauschbar</li>"
            "<li>Riemenantrieb für 20.000 km</li></ul>",
            "<p>Le moteur du Harbour est placé bas et murmure. Sa courroie se passe "
            "d’huile, votre pantalon reste propre et la batterie sort d’un tour de "
            "clé.</p>"
            "<ul><li>Batterie de 504 Wh, remplaçable</li>"
            "<li>Courroie prévue pour 20 000 km</li></ul>",
        ),
        ("Slate", "Lagoon"),
        BICYCLE_SIZES,
        {
            "Brand": "Velometer",
            "RidingStyles": "Commuting~Shopping",
            "FrameMaterial": "Aluminium",
            "Gears": 5,
            "Weight": 23.8,
            "Electric": True,
            "AvailableFrom": "2025-04-10T00:00:00Z",
            "Equipment": "Mudguards~Rear rack~Dynamo light~Frame lock~Kickstand",
        },
        (("goes-with", "SW-410"), ("instead", "SW-110")),
    ),
    Item(
        "SW-104",
        Text("Sparrow 1", "Eingangrad Sparrow 1", "Vélo monovitesse Sparrow 1"),
        "Bicycle",
        ("bicycles/city/classic", "first-commute"),
        "single-speed",
        690.0,
        Text(
            "One gear, two brakes, nothing to go wrong.",
            "Ein Gang, zwei Bremsen, nichts, was kaputtgeht.",
            "Une vitesse, deux freins, rien à dérégler.",
        ),
        Text(
            "<p>Light enough for the fourth floor and simple enough to fix with "
            "two spanners. The Sparrow is for flat towns and short mornings.</p>",
            "<p>Leicht genug für den vierten Stock und so schlicht, dass zwei "
            "Schraubenschlüssel reichen. Das Sparrow ist für flache Städte und "
            "kurze Morgen.</p>",
            "<p>Assez léger pour le quatrième étage, assez simple pour deux clés. Le "
            "Sparrow aime les villes plates et les matins courts.</p>",
        ),
        ("Saffron", "Ink"),
        BICYCLE_SIZES,
        {
            "Brand": "Spokewell Works",
            "RidingStyles": "Commuting",
            "FrameMaterial": "Steel",
            "Gears": 1,
            "Weight": 10.2,
            "Electric": False,
            "AvailableFrom": "2024-05-02T00:00:00Z",
        },
        (("goes-with", "SW-407"), ("upgrade", "SW-101")),
    ),
    Item(
        "SW-105",
        Text("Meridian 30", "Reiserad Meridian 30", "Randonneuse Meridian 30"),
        "Bicycle",
        ("bicycles/touring/long-distance",),
        "tourer",
        2190.0,
        Text(
            "Loaded for a continent, steady at walking pace.",
            "Beladen für einen Kontinent, stabil im Schritttempo.",
            "Chargé pour un continent, stable au pas.",
        ),
        Text(
            "<p>Long chainstays, low bottom bracket, and bosses for four bags and "
            "three bottles. The Meridian was drawn on the road, and every part of "
            "it can be bought in a village shop.</p>"
            "<ul><li>36 spokes, brazed rack mounts</li><li>Gears for 18 percent</li>"
            "</ul>",
            "<p>Lange Kettenstreben, tiefes Tretlager und Ösen für vier Taschen und "
            "drei Flaschen. Das Meridian entstand unterwegs, und jedes Teil gibt es "
            "auch im Dorfladen.</p>"
            "<ul><li>36 Speichen, gelötete Ösen</li><li>Gänge für 18 Prozent</li></ul>",
            "<p>Bases longues, boîtier bas et fixations pour quatre sacoches et "
            "trois gourdes. Le Meridian a été dessiné sur la route, et chaque pièce "
            "se trouve dans un village.</p>"
            "<ul><li>36 rayons</li><li>Des vitesses pour 18 pour cent</li></ul>",
        ),
        ("Lagoon", "Brick"),
        (*BICYCLE_SIZES, "XL"),
        {
            "Brand": "Hollis & Finch",
            "RidingStyles": "Touring",
            "FrameMaterial": "Steel",
            "Gears": 30,
            "Weight": 14.3,
            "Electric": False,
            "AvailableFrom": "2025-02-01T00:00:00Z",
            "Equipment": "Mudguards~Rear rack~Dynamo light",
        },
        (("goes-with", "SW-401"), ("goes-with", "SW-402"), ("instead", "SW-108")),
    ),
    Item(
        "SW-106",
        Text("Fell 11", "Gravelrad Fell 11", "Vélo gravel Fell 11"),
        "Bicycle",
        ("bicycles/touring/gravel",),
        "gravel",
        1890.0,
        Text(
            "Where the tarmac ends, it only gets quieter.",
            "Wo der Asphalt endet, wird es nur leiser.",
            "Là où finit le bitume, le silence commence.",
        ),
        Text(
            "<p>Wide tyres, a single chainring and a fork that shrugs at roots. "
            "The Fell is fast on the road home and calm in the wood before it.</p>",
            "<p>Breite Reifen, ein Kettenblatt und eine Gabel, die über Wurzeln "
            "lacht. Das Fell ist schnell auf der Straße und gelassen im Wald.</p>",
            "<p>Pneus larges, un seul plateau et une fourche qui ignore les "
            "racines. Le Fell est rapide sur route et calme en forêt.</p>",
        ),
        ("Moss", "Saffron"),
        BICYCLE_SIZES,
        {
            "Brand": "Hollis & Finch",
            "RidingStyles": "Gravel~Touring",
            "FrameMaterial": "Aluminium",
            "Gears": 11,
            "Weight": 10.1,
            "Electric": False,
            "AvailableFrom": "2025-03-20T00:00:00Z",
        },
        (("upgrade", "SW-107"), ("goes-with", "SW-403")),
    ),
    Item(
        "SW-107",
        Text("Fell Ti", "Gravelrad Fell Ti", "Vélo gravel Fell Ti"),
        "Bicycle",
        ("bicycles/touring/gravel",),
        "gravel",
        4290.0,
        Text(
            "The last bicycle you will need to choose.",
            "Das letzte Rad, das Sie aussuchen müssen.",
            "Le dernier vélo que vous aurez à choisir.",
        ),
        Text(
            "<p>Titanium does not rust, tire or fade, so we left most of it bare. "
            "Welded to order; tell us your inseam and we will do the sums.</p>",
            "<p>Titan rostet nicht, ermüdet nicht und verblasst nicht, also haben wir "
            "das meiste blank gelassen. Auf Bestellung geschweißt: Nennen Sie uns Ihre "
            "Schrittlänge, wir rechnen.</p>",
            "<p>Le titane ne rouille pas, ne se fatigue pas et ne pâlit pas : nous "
            "l’avons presque tout laissé nu. Soudé sur commande, à votre mesure.</p>",
        ),
        ("Slate",),
        BICYCLE_SIZES,
        {
            "Brand": "Hollis & Finch",
            "RidingStyles": "Gravel~Touring",
            "FrameMaterial": "Titanium",
            "Gears": 12,
            "Weight": 8.6,
            "Electric": False,
            "AvailableFrom": "2025-09-01T00:00:00Z",
        },
        (("instead", "SW-106"),),
    ),
    Item(
        "SW-108",
        Text("Ridgeway 27", "Trekkingrad Ridgeway 27", "Vélo de randonnée Ridgeway 27"),
        "Bicycle",
        ("bicycles/touring/long-distance", "rain-or-shine"),
        "diamond",
        1490.0,
        Text(
            "Monday to the office, Saturday to the coast.",
            "Montags ins Büro, samstags an die Küste.",
            "Lundi au bureau, samedi à la mer.",
        ),
        Text(
            "<p>A flat bar, disc brakes and 27 gears make the Ridgeway the easiest "
            "way to try touring. Comes with the rack we use ourselves.</p>",
            "<p>Gerader Lenker, Scheibenbremsen und 27 Gänge: So einfach beginnt "
            "das Reisen. Mit dem Träger, den wir selbst fahren.</p>",
            "<p>Guidon plat, freins à disque et 27 vitesses : le voyage commence "
            "simplement. Livré avec notre porte-bagages préféré.</p>",
        ),
        ("Ink", "Slate"),
        BICYCLE_SIZES,
        {
            "Brand": "Velometer",
            "RidingStyles": "Touring~Commuting",
            "FrameMaterial": "Aluminium",
            "Gears": 27,
            "Weight": 13.9,
            "Electric": False,
            "AvailableFrom": "2024-11-01T00:00:00Z",
            "Equipment": "Mudguards~Rear rack~Kickstand",
        },
        (("goes-with", "SW-401"), ("upgrade", "SW-105")),
    ),
    Item(
        "SW-109",
        Text("Carter", "Lastenrad Carter", "Vélo cargo Carter"),
        "Cargo bicycle",
        ("bicycles/cargo",),
        "cargo",
        3490.0,
        Text(
            "Two children, or eleven bags of compost.",
            "Zwei Kinder oder elf Säcke Kompost.",
            "Deux enfants, ou onze sacs de terreau.",
        ),
        Text(
            "<p>The load sits low and in sight. After five minutes the Carter feels "
            "like a bicycle again; after a week you forget where the car is parked."
            "</p><ul><li>Box of larch plywood, two belts</li>"
            "<li>Carries 100 kg besides you</li></ul>",
            "<p>Die Last liegt tief und im Blick. Nach fünf Minuten fährt sich das "
            "Carter wie ein Rad, nach einer Woche wissen Sie nicht mehr, wo das "
            "Auto steht.</p><ul><li>Kiste aus Lärchensperrholz, zwei Gurte</li>"
            "<li>Trägt 100 kg zusätzlich</li></ul>",
            "<p>La charge est basse et sous vos yeux. Après cinq minutes, le Carter "
            "redevient un vélo ; après une semaine, vous oubliez où est la voiture."
            "</p><ul><li>Caisse en mélèze, deux ceintures</li>"
            "<li>Porte 100 kg en plus de vous</li></ul>",
        ),
        ("Ink", "Moss"),
        ("One size",),
        {
            "Brand": "Karu",
            "RidingStyles": "Family~Shopping",
            "FrameMaterial": "Steel",
            "Gears": 8,
            "Weight": 34.0,
            "Electric": False,
            "AvailableFrom": "2024-08-20T00:00:00Z",
            "Equipment": "Mudguards~Dynamo light~Kickstand~Frame lock",
            "Volume": 220.0,
        },
        (("instead", "SW-110"), ("goes-with", "SW-410")),
    ),
    Item(
        "SW-110",
        Text("Mule E", "Lastenrad Mule E", "Vélo cargo Mule E"),
        "Cargo bicycle",
        ("bicycles/cargo", "first-commute"),
        "longtail",
        4190.0,
        Text(
            "The school run, uphill, with a cello.",
            "Der Schulweg, bergauf, mit Cello.",
            "L’école, en côte, avec un violoncelle.",
        ),
        Text(
            "<p>No longer than a tandem and no wider than its bars, the Mule "
            "parks where other cargo bicycles cannot. Both children sit behind "
            "you, where the wind is not.</p>",
            "<p>Nicht länger als ein Tandem und nicht breiter als sein Lenker: Das "
            "Mule parkt, wo andere Lastenräder nicht hinkommen. Die Kinder sitzen "
            "hinten im Windschatten.</p>",
            "<p>Pas plus long qu’un tandem ni plus large que son guidon, le Mule se "
            "gare là où d’autres vélos cargos ne passent pas. Les deux enfants sont "
            "derrière vous, à l’abri du vent.</p>",
        ),
        ("Plum", "Saffron"),
        ("One size",),
        {
            "Brand": "Karu",
            "RidingStyles": "Family~Shopping~Commuting",
            "FrameMaterial": "Aluminium",
            "Gears": 10,
            "Weight": 29.5,
            "Electric": True,
            "AvailableFrom": "2025-05-05T00:00:00Z",
            "Equipment": "Mudguards~Rear rack~Dynamo light~Kickstand~Child seat",
            "Volume": 74.0,
        },
        (("instead", "SW-109"),),
    ),
    Item(
        "SW-111",
        Text("Pip 20", "Kinderrad Pip 20", "Vélo enfant Pip 20"),
        "Bicycle",
        ("bicycles/children",),
        "child-bicycle",
        420.0,
        Text(
            "The first real bicycle, at a weight that a child can lift.",
            "Das erste richtige Rad, so leicht, dass ein Kind es hebt.",
            "Le premier vrai vélo, assez léger pour un enfant.",
        ),
        Text(
            "<p>Short cranks, levers for small hands and a frame that grows with "
            "the seatpost. When it is outgrown we buy it back for half.</p>",
            "<p>Kurze Kurbeln, Hebel für kleine Hände und ein Rahmen, der mit der "
            "Sattelstütze wächst. Ist es zu klein, kaufen wir es zum halben Preis "
            "zurück.</p>",
            "<p>Manivelles courtes, leviers pour petites mains. Devenu trop petit, "
            "nous le reprenons à moitié prix.</p>",
        ),
        ("Saffron", "Lagoon", "Brick"),
        ("One size",),
        {
            "Brand": "Karu",
            "RidingStyles": "Learning",
            "FrameMaterial": "Aluminium",
            "Gears": 3,
            "Weight": 8.1,
            "Electric": False,
            "AvailableFrom": "2025-01-15T00:00:00Z",
            "Equipment": "Mudguards~Kickstand",
        },
        (("goes-with", "SW-205"), ("upgrade", "SW-112")),
    ),
    Item(
        "SW-112",
        Text("Acorn 24", "Kinderrad Acorn 24", "Vélo enfant Acorn 24"),
        "Bicycle",
        ("bicycles/children",),
        "child-bicycle",
        540.0,
        Text(
            "Eight gears and permission to go further.",
            "Acht Gänge und die Erlaubnis, weiter zu fahren.",
            "Huit vitesses et la permission d’aller plus loin.",
        ),
        Text(
            "<p>For riders of eight to eleven. Proper lights, a rack for the school "
            "bag and brakes that stop in the wet.</p>",
            "<p>Für Kinder von acht bis elf. Richtiges Licht, ein Träger für die "
            "Schultasche und Bremsen, die auch bei Nässe greifen.</p>",
            "<p>De huit à onze ans. Un vrai éclairage, un porte-bagages pour le "
            "cartable et des freins qui arrêtent sous la pluie.</p>",
        ),
        ("Moss", "Plum"),
        ("One size",),
        {
            "Brand": "Karu",
            "RidingStyles": "Learning~Commuting",
            "FrameMaterial": "Aluminium",
            "Gears": 8,
            "Weight": 10.4,
            "Electric": False,
            "AvailableFrom": "2025-01-15T00:00:00Z",
            "Equipment": "Mudguards~Dynamo light~Kickstand",
        },
        (("instead", "SW-111"), ("goes-with", "SW-205")),
    ),
]

_WIPE = Text(
    "Wipe with a damp cloth. No solvents, no stickers, no dashboard in the sun.",
    "Feucht abwischen. Keine Lösungsmittel, keine Aufkleber, kein Auto in der Sonne.",
    "Essuyer avec un chiffon humide. Ni solvant, ni autocollant, ni plein soleil.",
)

HELMETS = [
    Item(
        "SW-201",
        Text("Calyx", "Helm Calyx", "Casque Calyx"),
        "Helmet",
        ("helmets/everyday", "first-commute"),
        "urban-helmet",
        79.0,
        Text(
            "A round shell that suits round heads and straight faces.",
            "Eine runde Schale für jeden Kopf.",
            "Une coque ronde qui va à toutes les têtes.",
        ),
        Text(
            "<p>One dial at the back, one magnet under the chin, and a short brim "
            "against drizzle and low sun.</p>",
            "<p>Ein Rad hinten, ein Magnet unter dem Kinn und ein kurzer Schirm "
            "gegen Niesel und tiefe Sonne.</p>",
            "<p>Une molette à l’arrière, un aimant sous le menton et une petite "
            "visière contre la bruine.</p>",
        ),
        ("Moss", "Chalk", "Ink"),
        HELMET_SIZES,
        {
            "SafetyStandards": "EN 1078",
            "Vents": 9,
            "Weight": 0.34,
            "TestedOn": "2024-10-08T00:00:00Z",
            "Labels": "magnetic buckle~recycled",
            "CareInstructions": _WIPE,
        },
        (("upgrade", "SW-202"), ("goes-with", "SW-301")),
    ),
    Item(
        "SW-202",
        Text("Halo", "Helm Halo", "Casque Halo"),
        "Helmet",
        ("helmets/everyday", "rain-or-shine"),
        "urban-helmet",
        129.0,
        Text(
            "A helmet with its own tail light.",
            "Ein Helm mit eigenem Rücklicht.",
            "Un casque avec son propre feu arrière.",
        ),
        Text(
            "<p>The band of light around the Halo can be seen from behind and from "
            "both sides. It charges in an hour and lasts a week of commutes.</p>",
            "<p>Das Lichtband des Halo ist von hinten und von den Seiten zu sehen. "
            "Es lädt in einer Stunde und reicht eine Arbeitswoche.</p>",
            "<p>Le bandeau lumineux du Halo se voit de derrière et des deux côtés. Il "
            "se charge en une heure et tient une semaine de trajets.</p>",
        ),
        ("Slate", "Saffron"),
        HELMET_SIZES,
        {
            "SafetyStandards": "EN 1078~NTA 8776",
            "Vents": 11,
            "Weight": 0.42,
            "TestedOn": "2025-01-22T00:00:00Z",
            "Labels": "with light~reflective",
            "CareInstructions": _WIPE,
        },
        (("instead", "SW-201"), ("goes-with", "SW-408")),
    ),
    Item(
        "SW-203",
        Text("Switchback", "Helm Switchback", "Casque Switchback"),
        "Helmet",
        ("helmets/sport",),
        "helmet",
        149.0,
        Text(
            "Eighteen vents and a light heart.",
            "Achtzehn Öffnungen und ein leichtes Herz.",
            "Dix-huit aérations et le cœur léger.",
        ),
        Text(
            "<p>Made for gravel and long climbs. The cradle turns with the head in "
            "a fall, and the pads go into the wash.</p>",
            "<p>Für Schotter und lange Anstiege. Die Schale dreht sich im Sturz "
            "mit, und die Polster dürfen in die Wäsche.</p>",
            "<p>Pour le gravier et les longues montées. La calotte tourne avec la tête "
            "en cas de chute, et les mousses se lavent.</p>",
        ),
        ("Brick", "Lagoon"),
        HELMET_SIZES,
        {
            "SafetyStandards": "EN 1078",
            "Vents": 18,
            "Weight": 0.27,
            "TestedOn": "2024-12-03T00:00:00Z",
            "Labels": "lightweight",
            "CareInstructions": _WIPE,
        },
        (("goes-with", "SW-303"),),
    ),
    Item(
        "SW-204",
        Text("Foldaway", "Falthelm Foldaway", "Casque pliant Foldaway"),
        "Helmet",
        ("helmets/everyday",),
        "helmet",
        99.0,
        Text(
            "Folds to the size of a book.",
            "Faltet sich auf Buchgröße.",
            "Plié, il a la taille d’un livre.",
        ),
        Text(
            "<p>Three shells slide into one another, so the helmet fits the bag "
            "that you have anyway. Unfolded it locks with a click.</p>",
            "<p>Drei Schalen schieben sich ineinander, so passt der Helm in die "
            "Tasche, die Sie ohnehin haben. Aufgeklappt rastet er hörbar ein.</p>",
            "<p>Trois coques glissent l’une dans l’autre : le casque tient dans le sac "
            "que vous avez déjà. Déplié, il se verrouille d’un clic.</p>",
        ),
        ("Ink", "Plum"),
        HELMET_SIZES,
        {
            "SafetyStandards": "EN 1078",
            "Vents": 6,
            "Weight": 0.47,
            "TestedOn": "2025-02-11T00:00:00Z",
            "Labels": "recycled",
        },
        (("instead", "SW-201"),),
    ),
    Item(
        "SW-205",
        Text("Tern Junior", "Kinderhelm Tern Junior", "Casque enfant Tern Junior"),
        "Helmet",
        ("helmets/children", "rain-or-shine"),
        "urban-helmet",
        49.0,
        Text(
            "A buckle that never pinches.",
            "Ein Verschluss, der nie zwickt.",
            "Une boucle qui ne pince jamais.",
        ),
        Text(
            "<p>The buckle opens by itself when a helmet gets caught on a climbing "
            "frame, and the shell reaches low over the neck.</p>",
            "<p>Der Verschluss öffnet sich, wenn der Helm am Klettergerüst hängen "
            "bleibt, und die Schale reicht tief in den Nacken.</p>",
            "<p>La boucle s’ouvre seule si le casque se coince au portique, et la "
            "coque descend bas sur la nuque.</p>",
        ),
        ("Saffron", "Lagoon", "Plum"),
        ("48–53 cm",),
        {
            "SafetyStandards": "EN 1078~EN 1080",
            "Vents": 8,
            "Weight": 0.25,
            "TestedOn": "2024-11-19T00:00:00Z",
            "Labels": "lightweight~reflective",
            "CareInstructions": _WIPE,
        },
        (("goes-with", "SW-111"),),
    ),
    Item(
        "SW-206",
        Text("Highroad", "Helm Highroad", "Casque Highroad"),
        "Helmet",
        ("helmets/sport",),
        "helmet",
        189.0,
        Text("Made for the long way round.", "Für den langen Weg.", "Pour le détour."),
        Text(
            "<p>Our lightest. Channels inside lead the air over the head and out at "
            "the back, so that it cools even at the pace of a climb.</p>",
            "<p>Unser leichtester. Kanäle führen die Luft über den Kopf und hinten "
            "hinaus, auch im Tempo eines Anstiegs.</p>",
            "<p>Notre plus léger. Des canaux mènent l’air au-dessus de la tête, même à "
            "l’allure d’une montée.</p>",
        ),
        ("Chalk", "Slate"),
        HELMET_SIZES,
        {
            "SafetyStandards": "EN 1078",
            "Vents": 22,
            "Weight": 0.22,
            "TestedOn": "2025-02-26T00:00:00Z",
            "Labels": "lightweight",
        },
        (("instead", "SW-203"),),
        status="New",
    ),
]

_WASH_COLD = Text(
    "Machine wash at 30 °C, no softener. Hang to dry; renew the proofing each spring.",
    "Waschen bei 30 °C ohne Weichspüler. Hängend trocknen, jährlich imprägnieren.",
    "Laver à 30 °C sans adoucissant. Sécher suspendu, réimperméabiliser chaque année.",
)
_WASH_WOOL = Text(
    "Wool cycle, inside out. It needs airing more often than washing.",
    "Wollwaschgang, auf links. Lüften hilft öfter als Waschen.",
    "Cycle laine, à l’envers. Aérer vaut mieux que laver.",
)

APPAREL = [
    Item(
        "SW-301",
        Text("Drizzle jacket", "Regenjacke Drizzle", "Veste de pluie Drizzle"),
        "Apparel",
        ("clothing/tops/jackets", "rain-or-shine", "first-commute"),
        "jacket",
        189.0,
        Text(
            "Waterproof all day, presentable at the meeting.",
            "Den ganzen Tag dicht, im Termin vorzeigbar.",
            "Étanche toute la journée, présentable en réunion.",
        ),
        Text(
            "<p>Three layers, taped seams and a hood that fits over a helmet. Vents "
            "under the arms open with gloves on.</p>"
            "<ul><li>Longer at the back</li><li>Repairs free for five years</li></ul>",
            "<p>Drei Lagen, verklebte Nähte und eine Kapuze, die über den Helm "
            "passt. Die Belüftung öffnet sich auch mit Handschuhen.</p>"
            "<ul><li>Hinten länger</li><li>Fünf Jahre kostenlose Reparatur</li></ul>",
            "<p>Trois couches, coutures étanchées et une capuche qui passe "
            "par-dessus le casque. Les aérations s’ouvrent avec des gants.</p>"
            "<ul><li>Plus longue dans le dos</li><li>Réparée cinq ans</li></ul>",
        ),
        ("Saffron", "Ink", "Moss"),
        CLOTHING_SIZES,
        {
            "Fabric": Text(
                "Recycled polyester, three layers",
                "Recyceltes Polyester, dreilagig",
                "Polyester recyclé, trois couches",
            ),
            "Fit": "Regular",
            "Waterproof": True,
            "Seasons": "Spring~Autumn~Winter",
            "CareInstructions": _WASH_COLD,
        },
        (("goes-with", "SW-306"), ("goes-with", "SW-307"), ("instead", "SW-302")),
    ),
    Item(
        "SW-302",
        Text("Breeze vest", "Windweste Breeze", "Gilet coupe-vent Breeze"),
        "Apparel",
        ("clothing/tops/jackets",),
        "vest",
        79.0,
        Text(
            "Keeps the wind off and fits in a fist.",
            "Hält den Wind ab und passt in eine Faust.",
            "Coupe le vent et tient dans le poing.",
        ),
        Text(
            "<p>Put it on at the top of the hill, take it off at the bottom. The "
            "back is mesh and the pocket is its own bag.</p>",
            "<p>Oben anziehen, unten ausziehen. Der Rücken ist Netz, die Tasche "
            "zugleich der Packbeutel.</p>",
            "<p>On l’enfile en haut de la côte, on l’ôte en bas. Le dos est en filet "
            "et la poche lui sert de sac.</p>",
        ),
        ("Lagoon", "Slate"),
        CLOTHING_SIZES,
        {
            "Fabric": Text("Ripstop nylon", "Ripstop-Nylon"),
            "Fit": "Close",
            "Waterproof": False,
            "Seasons": "Spring~Summer~Autumn",
            "CareInstructions": _WASH_COLD,
        },
        (("upgrade", "SW-301"),),
    ),
    Item(
        "SW-303",
        Text("Meadow jersey", "Trikot Meadow", "Maillot Meadow"),
        "Apparel",
        ("clothing/tops/layers",),
        "jersey",
        69.0,
        Text(
            "Three pockets and no logo.",
            "Drei Taschen und kein Logo.",
            "Trois poches et aucun logo.",
        ),
        Text(
            "<p>A jersey that passes for a shirt in the café. The middle pocket has "
            "a zip and holds a phone and a key.</p>",
            "<p>Ein Trikot, das im Café als Hemd durchgeht. Die mittlere Tasche hat "
            "einen Reißverschluss.</p>",
            "<p>Un maillot qui passe pour une chemise au café. La poche du milieu "
            "ferme à glissière.</p>",
        ),
        ("Moss", "Brick", "Chalk"),
        CLOTHING_SIZES,
        {
            "Fabric": Text("Polyester and wool", "Polyester und Wolle"),
            "Fit": "Regular",
            "Waterproof": False,
            "Seasons": "Spring~Summer",
            "CareInstructions": _WASH_COLD,
        },
        (("goes-with", "SW-305"),),
    ),
    Item(
        "SW-304",
        Text("Hearth base layer", "Unterhemd Hearth", "Sous-couche Hearth"),
        "Apparel",
        ("clothing/tops/layers", "rain-or-shine"),
        "jersey",
        89.0,
        Text(
            "Merino wool for the first cold week.",
            "Merinowolle für die erste kalte Woche.",
            "Du mérinos pour la première semaine froide.",
        ),
        Text(
            "<p>Warm when wet, and quiet about it after four days. Flat seams, and "
            "a back long enough to stay put.</p>",
            "<p>Warm auch im Nassen und nach vier Tagen noch diskret. Flache Nähte, "
            "langer Rücken.</p>",
            "<p>Chaud même mouillé, et discret au bout de quatre jours. Coutures "
            "plates, dos long.</p>",
        ),
        ("Plum", "Slate"),
        CLOTHING_SIZES,
        {
            "Fabric": Text("Merino wool, 180 g/m²", "Merinowolle, 180 g/m²"),
            "Fit": "Close",
            "Waterproof": False,
            "Seasons": "Autumn~Winter",
            "CareInstructions": _WASH_WOOL,
        },
        (("goes-with", "SW-301"),),
    ),
    Item(
        "SW-305",
        Text("Quarry shorts", "Kurze Hose Quarry"),
        "Apparel",
        ("clothing/extras",),
        "trousers",
        95.0,
        Text("Shorts with a seat that forgives.", "Eine Hose, die verzeiht."),
        Text(
            "<p>Stretch where you bend, double where you sit. The pad comes out for "
            "the days when you only look as if you were cycling.</p>",
            "<p>Dehnbar, wo man sich beugt, doppelt, wo man sitzt. Das Polster lässt "
            "sich herausnehmen.</p>",
        ),
        ("Slate", "Moss"),
        CLOTHING_SIZES,
        {
            "Fabric": Text("Cotton and elastane", "Baumwolle und Elasthan"),
            "Fit": "Relaxed",
            "Waterproof": False,
            "Seasons": "Spring~Summer~Autumn",
        },
        (("goes-with", "SW-303"),),
        deactivate_on="2035-10-31T22:00:00Z",
    ),
    Item(
        "SW-306",
        Text("Ember gloves", "Handschuhe Ember", "Gants Ember"),
        "Apparel",
        ("clothing/extras", "rain-or-shine"),
        "gloves",
        59.0,
        Text(
            "Ten warm fingers, all of them useful.",
            "Zehn warme Finger, alle brauchbar.",
            "Dix doigts au chaud, tous utiles.",
        ),
        Text(
            "<p>Windproof outside, brushed inside, and thin enough at the tips to "
            "find a key. Two of the fingertips work on a screen.</p>",
            "<p>Außen winddicht, innen aufgeraut und an den Spitzen dünn genug für "
            "den Schlüssel.</p>",
            "<p>Coupe-vent dehors, gratté dedans, assez fin au bout des doigts pour "
            "trouver une clé.</p>",
        ),
        ("Ink", "Brick"),
        ("S", "M", "L"),
        {
            "Fabric": Text("Softshell", "Softshell", "Softshell"),
            "Fit": "Close",
            "Waterproof": False,
            "Seasons": "Autumn~Winter",
            "CareInstructions": _WASH_COLD,
        },
        (("goes-with", "SW-307"),),
    ),
    Item(
        "SW-307",
        Text("Puddle overshoes", "Überschuhe Puddle", "Surchaussures Puddle"),
        "Apparel",
        ("clothing/extras", "rain-or-shine", "first-commute"),
        "overshoe",
        45.0,
        Text(
            "Arrive with dry socks.",
            "Mit trockenen Socken ankommen.",
            "Arriver les chaussettes sèches.",
        ),
        Text(
            "<p>They go over the shoes you already wear and roll up to the size of "
            "a sandwich. The sole is open where the pedal is.</p>",
            "<p>Sie passen über die Schuhe, die Sie ohnehin tragen, und rollen sich "
            "auf die Größe eines Butterbrots.</p>",
        ),
        ("Saffron", "Slate"),
        ("S", "M", "L"),
        {
            "Fabric": Text("Coated nylon", "Beschichtetes Nylon"),
            "Fit": "Relaxed",
            "Waterproof": True,
            "Seasons": "Autumn~Winter",
        },
        (("goes-with", "SW-301"),),
    ),
]

ACCESSORIES = [
    Item(
        "SW-401",
        Text("Porter pannier", "Packtasche Porter", "Sacoche Porter"),
        "Accessory",
        ("accessories/bags/panniers", "rain-or-shine", "first-commute"),
        "pannier",
        89.0,
        Text(
            "Off the rack and over the shoulder in one move.",
            "Mit einem Griff vom Träger auf die Schulter.",
            "Du porte-bagages à l’épaule d’un seul geste.",
        ),
        Text(
            "<p>Rolled shut it floats; open it swallows two bags of shopping. The "
            "hooks fit every tube from 8 to 16 mm.</p>",
            "<p>Zugerollt schwimmt sie, offen schluckt sie zwei Einkäufe. Die Haken "
            "passen auf Rohre von 8 bis 16 mm.</p>",
            "<p>Fermée, elle flotte ; ouverte, elle avale deux paniers de courses.</p>",
        ),
        ("Brick", "Moss", "Ink"),
        (),
        {
            "Brand": "Hollis & Finch",
            "Volume": 20.0,
            "Weight": 0.98,
            "Waterproof": True,
            "MountsOn": "Rack",
            "SpareParts": "2035-12-31T00:00:00Z",
        },
        (("goes-with", "SW-402"),),
    ),
    Item(
        "SW-402",
        Text("Larder bar bag", "Lenkertasche Larder", "Sacoche de guidon Larder"),
        "Accessory",
        ("accessories/bags",),
        "handlebar-bag",
        65.0,
        Text(
            "Snacks, map and camera within reach.",
            "Brote, Karte und Kamera in Reichweite.",
            "Goûter, carte et appareil photo à portée de main.",
        ),
        Text(
            "<p>Two straps, no bracket. The lid opens away from you, so that nothing "
            "falls out when you stop.</p>",
            "<p>Zwei Riemen, kein Halter. Der Deckel öffnet nach vorn, damit beim "
            "Anhalten nichts herausfällt.</p>",
            "<p>Deux sangles, pas de support. Le couvercle s’ouvre vers l’avant : rien "
            "ne tombe à l’arrêt.</p>",
        ),
        ("Ink", "Plum"),
        (),
        {
            "Brand": "Hollis & Finch",
            "Volume": 5.5,
            "Weight": 0.38,
            "Waterproof": False,
            "MountsOn": "Handlebar",
            "SpareParts": "2034-12-31T00:00:00Z",
        },
        (("goes-with", "SW-403"),),
    ),
    Item(
        "SW-403",
        Text("Tuck saddle bag", "Satteltasche Tuck"),
        "Accessory",
        ("accessories/bags",),
        "saddle-bag",
        39.0,
        Text("A tube, a tool and a banknote.", "Schlauch, Werkzeug, Geldschein."),
        Text(
            "<p>Shaped so that it does not brush your legs. There is a loop for a "
            "rear light, and the zip is lined against spray.</p>",
            "<p>So geformt, dass sie die Beine nicht streift. Mit Schlaufe für ein "
            "Rücklicht und abgedecktem Reißverschluss.</p>",
        ),
        ("Saffron",),
        (),
        {
            "Brand": "Spokewell Works",
            "Volume": 1.2,
            "Weight": 0.16,
            "Waterproof": False,
            "MountsOn": "Seatpost~Frame",
        },
        (("goes-with", "SW-406"),),
    ),
    Item(
        "SW-404",
        Text("Flask 0.7", "Trinkflasche Flask 0.7", "Gourde Flask 0.7"),
        "Accessory",
        ("accessories",),
        "bottle",
        15.0,
        Text(
            "Holds 0.7 litres and no taste.",
            "Fasst 0,7 Liter und keinen Geschmack.",
            "Contient 0,7 litre et aucun goût.",
        ),
        Text("<p>Goes into the dishwasher and comes out as it went in.</p>"),
        ("Brick", "Lagoon", "Chalk"),
        (),
        {"Brand": "Karu", "Volume": 0.7, "Weight": 0.08, "MountsOn": "Frame"},
        (),
    ),
    Item(
        "SW-405",
        Text("Gale floor pump", "Standpumpe Gale", "Pompe à pied Gale"),
        "Accessory",
        ("accessories/workshop",),
        "pump",
        55.0,
        Text(
            "Forty strokes to a full tyre.",
            "Vierzig Hübe bis zum vollen Reifen.",
            "Quarante coups pour un pneu bien gonflé.",
        ),
        Text(
            "<p>A wide steel foot, a beech handle and a head that fits every valve "
            "without an adapter.</p>",
            "<p>Breiter Stahlfuß, Griff aus Buche und ein Kopf, der ohne Adapter "
            "auf jedes Ventil passt.</p>",
            "<p>Un large pied en acier, une poignée en hêtre et une tête qui va sur "
            "toutes les valves sans adaptateur.</p>",
        ),
        ("Ink",),
        (),
        {
            "Brand": "Velometer",
            "Weight": 1.64,
            "SpareParts": "2040-12-31T00:00:00Z",
        },
        (("goes-with", "SW-406"),),
    ),
    Item(
        "SW-406",
        Text("Tinker multitool", "Multiwerkzeug Tinker"),
        "Accessory",
        ("accessories/workshop",),
        "multitool",
        35.0,
        Text(
            "The fourteen tools that you use.",
            "Die vierzehn Werkzeuge, die man braucht.",
        ),
        Text(
            "<p>We counted which tools our mechanics reach for on the road and left "
            "out all others. Every bolt of it can be replaced.</p>",
            "<p>Wir haben gezählt, wonach unsere Werkstatt unterwegs greift, und "
            "alles andere weggelassen.</p>",
        ),
        ("Moss",),
        (),
        {
            "Brand": "Spokewell Works",
            "Weight": 0.14,
            "SpareParts": "2035-06-30T00:00:00Z",
        },
        (("goes-with", "SW-403"),),
    ),
    Item(
        "SW-407",
        Text("Chime bell", "Klingel Chime", "Sonnette Chime"),
        "Accessory",
        ("accessories", "first-commute"),
        "bell",
        19.0,
        Text(
            "Polite, but heard.",
            "Höflich, aber hörbar.",
            "Polie, mais entendue.",
        ),
        Text(
            "<p>A brass dome that rings for four seconds. Fits handlebars from 22 to "
            "32 mm with the strap in the box.</p>",
            "<p>Eine Messingglocke, die vier Sekunden klingt. Passt an Lenker von 22 "
            "bis 32 mm.</p>",
            "<p>Un dôme en laiton qui sonne quatre secondes. Pour guidons de 22 à "
            "32 mm.</p>",
        ),
        ("Saffron", "Slate"),
        (),
        {"Brand": "Velometer", "Weight": 0.06, "MountsOn": "Handlebar"},
        (),
    ),
    Item(
        "SW-408",
        Text("Firefly front light", "Frontlicht Firefly", "Feu avant Firefly"),
        "Accessory",
        ("accessories/lights", "first-commute", "rain-or-shine"),
        "front-light",
        69.0,
        Text(
            "Lights the road and not the neighbours.",
            "Erhellt die Straße und nicht die Nachbarn.",
            "Éclaire la route, pas les voisins.",
        ),
        Text(
            "<p>A cut-off beam as on a car, 80 lux in the middle, and a button that "
            "glows red when an hour is left.</p>",
            "<p>Ein Lichtkegel mit scharfer Kante, 80 Lux in der Mitte und ein "
            "Knopf, der rot wird, wenn noch eine Stunde bleibt.</p>",
            "<p>Un faisceau coupé net comme sur une voiture, 80 lux au centre et un "
            "bouton qui rougit quand il reste une heure.</p>",
        ),
        ("Lagoon",),
        (),
        {
            "Brand": "Velometer",
            "Brightness": 80,
            "BatteryLife": 6.5,
            "Rechargeable": True,
            "Waterproof": True,
            "MountsOn": "Handlebar~Frame",
            "Weight": 0.12,
            "SpareParts": "2032-12-31T00:00:00Z",
        },
        (("goes-with", "SW-411"),),
    ),
    Item(
        "SW-409",
        Text("Anchor U-lock", "Bügelschloss Anchor", "Antivol en U Anchor"),
        "Accessory",
        ("accessories/locks", "first-commute"),
        "u-lock",
        75.0,
        Text(
            "Heavier than you want, as it should be.",
            "Schwerer, als man möchte, und das zu Recht.",
            "Plus lourd qu’on ne voudrait, et c’est bien ainsi.",
        ),
        Text(
            "<p>16 mm of hardened steel and a bolt that holds at both ends. The "
            "sleeve keeps the paint of your frame where it is.</p>",
            "<p>16 mm gehärteter Stahl und ein Riegel, der auf beiden Seiten hält. "
            "Die Hülle schont den Lack.</p>",
            "<p>16 mm d’acier trempé et un pêne qui tient des deux côtés. La gaine "
            "ménage la peinture du cadre.</p>",
        ),
        ("Slate", "Brick"),
        (),
        {
            "Brand": "Karu",
            "SecurityLevel": "Maximum",
            "Weight": 1.45,
            "MountsOn": "Frame~Rack",
        },
        (("instead", "SW-410"),),
    ),
    Item(
        "SW-410",
        Text("Origami folding lock", "Faltschloss Origami", "Antivol pliant Origami"),
        "Accessory",
        ("accessories/locks",),
        "folding-lock",
        85.0,
        Text(
            "Ninety centimetres that fit in a pocket.",
            "Neunzig Zentimeter, die in die Tasche passen.",
            "Quatre-vingt-dix centimètres dans une poche.",
        ),
        Text(
            "<p>Six flat bars on riveted joints reach round a lamp post and both "
            "wheels of a cargo bicycle.</p>",
            "<p>Sechs Glieder reichen um den Laternenpfahl und durch beide Räder.</p>",
            "<p>Six barres plates font le tour d’un réverbère et des deux roues d’un "
            "vélo cargo.</p>",
        ),
        ("Plum", "Slate"),
        (),
        {
            "Brand": "Karu",
            "SecurityLevel": "City",
            "Weight": 1.1,
            "MountsOn": "Frame",
        },
        (("upgrade", "SW-409"),),
    ),
    Item(
        "SW-411",
        Text("Glow rear light", "Rücklicht Glow", "Feu arrière Glow"),
        "Accessory",
        ("accessories/lights", "rain-or-shine"),
        "rear-light",
        39.0,
        Text(
            "Brightens when you brake.",
            "Leuchtet heller, wenn Sie bremsen.",
            "S’intensifie au freinage.",
        ),
        Text(
            "<p>A sensor notices when you slow down. The strap holds on seatposts, "
            "bags and prams.</p>",
            "<p>Ein Sensor merkt, wenn Sie langsamer werden. Der Riemen hält an "
            "Stützen, Taschen und Kinderwagen.</p>",
        ),
        ("Slate",),
        (),
        {
            "Brand": "Velometer",
            "Brightness": 12,
            "BatteryLife": 15.0,
            "Rechargeable": True,
            "Waterproof": True,
            "MountsOn": "Seatpost~Rack",
            "Weight": 0.05,
        },
        (("goes-with", "SW-408"),),
    ),
    Item(
        "SW-412",
        Text("Candle front light", "Frontlicht Candle", "Feu avant Candle"),
        "Accessory",
        ("accessories/lights",),
        "front-light",
        29.0,
        Text(
            "The small light that we no longer make.",
            "Das kleine Licht, das wir nicht mehr bauen.",
            "La petite lampe que nous ne faisons plus.",
        ),
        Text(
            "<p>Two batteries, one button. The Firefly has taken its place.</p>",
            "<p>Zwei Batterien, ein Knopf. An seine Stelle ist das Firefly getreten."
            "</p>",
            "<p>Deux piles, un bouton. Le Firefly a pris sa place.</p>",
        ),
        ("Brick",),
        (),
        {
            "Brand": "Velometer",
            "Brightness": 20,
            "BatteryLife": 4.0,
            "Rechargeable": False,
            "Waterproof": False,
            "MountsOn": "Handlebar",
            "Weight": 0.09,
            "SpareParts": "2028-12-31T00:00:00Z",
        },
        (("upgrade", "SW-408"),),
        archived=True,
    ),
]

ITEMS = [*BICYCLES, *HELMETS, *APPAREL, *ACCESSORIES]
