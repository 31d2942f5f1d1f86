"""Categories, properties, templates and relationship types of the shop's PIM."""

from __future__ import annotations

from dataclasses import dataclass

from .text import Text

TAXONOMY = Text("Spokewell shop", "Spokewell Laden", "Boutique Spokewell")


UNTOLD = Text("")


@dataclass(frozen=True, slots=True)
class Category:
    """``key`` is the path of keys from the top: ``bicycles/city/classic``."""

    key: str
    name: Text
    description: Text = UNTOLD
    drawing: str | None = None


CATEGORIES = [
    Category(
        "bicycles",
        Text("Bicycles", "Fahrräder", "Vélos"),
        Text(
            "<p>Built to be ridden every day and mended for decades.</p>",
            "<p>Gebaut, um täglich zu fahren und jahrzehntelang zu halten.</p>",
            "<p>Faits pour rouler chaque jour et se réparer pendant des décennies.</p>",
        ),
        "diamond",
    ),
    Category("bicycles/city", Text("City", "Stadt", "Ville")),
    Category(
        "bicycles/city/classic", Text("Classic frames", "Diamant", "Cadres classiques")
    ),
    Category(
        "bicycles/city/step-through", Text("Step-through", "Tiefeinsteiger", "Cols bas")
    ),
    Category("bicycles/touring", Text("Touring", "Reise", "Voyage")),
    Category(
        "bicycles/touring/long-distance",
        Text("Long distance", "Langstrecke", "Longue distance"),
    ),
    Category("bicycles/touring/gravel", Text("Gravel", "Gravel", "Gravel")),
    Category("bicycles/cargo", Text("Cargo", "Lastenräder", "Vélos cargos")),
    Category("bicycles/children", Text("Children", "Kinder", "Enfants")),
    Category(
        "helmets",
        Text("Helmets", "Helme", "Casques"),
        Text(
            "<p>Light enough to forget, tested well beyond the norm.</p>",
            "<p>So leicht, dass man sie vergisst, und weit über die Norm geprüft.</p>",
            "<p>Assez légers pour les oublier, testés bien au-delà de la norme.</p>",
        ),
        "helmet",
    ),
    Category("helmets/everyday", Text("Everyday", "Alltag", "Quotidien")),
    Category("helmets/sport", Text("Sport", "Sport", "Sport")),
    Category("helmets/children", Text("Children", "Kinder", "Enfants")),
    Category(
        "clothing",
        Text("Clothing", "Kleidung", "Vêtements"),
        Text(
            "<p>For riding in, and for keeping on when you arrive.</p>",
            "<p>Zum Fahren, und zum Anbehalten, wenn man ankommt.</p>",
            "<p>Pour rouler, et pour rester habillé à l’arrivée.</p>",
        ),
        "jacket",
    ),
    Category("clothing/tops", Text("Tops", "Oberteile", "Hauts")),
    Category("clothing/tops/jackets", Text("Jackets", "Jacken", "Vestes")),
    Category("clothing/tops/layers", Text("Layers", "Schichten", "Sous-couches")),
    Category(
        "clothing/extras",
        Text("Gloves and more", "Handschuhe und mehr", "Gants et plus"),
    ),
    Category(
        "accessories",
        Text("Accessories", "Zubehör", "Accessoires"),
        Text(
            "<p>The small things that make a bicycle yours.</p>",
            "<p>Die kleinen Dinge, die ein Rad zum eigenen machen.</p>",
            "<p>Les petites choses qui font d’un vélo le vôtre.</p>",
        ),
        "pannier",
    ),
    Category("accessories/bags", Text("Bags", "Taschen", "Sacoches")),
    Category(
        "accessories/bags/panniers", Text("Panniers", "Packtaschen", "Sacoches arrière")
    ),
    Category("accessories/lights", Text("Lights", "Licht", "Éclairage")),
    Category("accessories/locks", Text("Locks", "Schlösser", "Antivols")),
    Category("accessories/workshop", Text("Workshop", "Werkstatt", "Atelier")),
    Category(
        "rain-or-shine",
        Text("Rain or shine", "Bei jedem Wetter", "Par tous les temps"),
        Text(
            "<p>Everything for the days when the forecast is wrong.</p>",
            "<p>Alles für die Tage, an denen der Wetterbericht irrt.</p>",
            "<p>Tout pour les jours où la météo se trompe.</p>",
        ),
        "overshoe",
    ),
    Category("first-commute", Text("First commute", "Zur Arbeit", "Premiers trajets")),
]

GROUPS = {
    "Base": Text("Base"),
    "Marketing": Text("Marketing", "Marketing", "Marketing"),
    "Commerce": Text("Commerce", "Handel", "Commerce"),
    "Technical": Text("Technical", "Technik", "Technique"),
    "Care": Text("Safety and care", "Sicherheit und Pflege", "Sécurité et entretien"),
}


@dataclass(frozen=True, slots=True)
class Property:
    """``control`` is the editor's widget in the PIM, from which the type follows."""

    name: str
    label: Text
    group: str
    control: str
    decimals: int = 0
    localizable: bool = False
    values: tuple[Text, ...] = ()
    required: bool = False
    system: bool = False
    pattern: str = ""
    max_length: int = 255

    @property
    def type(self) -> str:
        return {
            "Decimal": "Number",
            "Toggle": "Boolean",
            "DatePicker": "DateTime",
            "DateTimePicker": "DateTime",
        }.get(self.control, "String")


COLOURS = {
    "Moss": Text("Moss", "Moosgrün", "Vert mousse"),
    "Brick": Text("Brick", "Ziegelrot", "Rouge brique"),
    "Ink": Text("Ink", "Tintenblau", "Bleu encre"),
    "Chalk": Text("Chalk", "Kreideweiß", "Blanc craie"),
    "Saffron": Text("Saffron", "Safrangelb", "Jaune safran"),
    "Slate": Text("Slate", "Schiefergrau", "Gris ardoise"),
    "Plum": Text("Plum", "Pflaume", "Prune"),
    "Lagoon": Text("Lagoon", "Lagune", "Lagon"),
}

PROPERTIES = [
    Property(
        "productNumber",
        Text("Product number"),
        "Base",
        "TextField",
        required=True,
        system=True,
    ),
    Property(
        "productTitle",
        Text("Product title"),
        "Base",
        "TextField",
        localizable=True,
        required=True,
        system=True,
    ),
    Property(
        "urlSegment",
        Text("URL segment"),
        "Base",
        "TextField",
        localizable=True,
        required=True,
        system=True,
    ),
    Property(
        "deactivateOn", Text("Deactivate on"), "Base", "DateTimePicker", system=True
    ),
    Property(
        "Summary",
        Text("Summary", "Kurztext", "Résumé"),
        "Marketing",
        "TextField",
        localizable=True,
        required=True,
    ),
    Property(
        "Description",
        Text("Description", "Beschreibung", "Description"),
        "Marketing",
        "Html",
        localizable=True,
        required=True,
    ),
    Property(
        "Labels",
        Text("Labels", "Schlagworte", "Étiquettes"),
        "Marketing",
        "MultiSelect",
        values=(
            Text("reflective", "reflektierend", "réfléchissant"),
            Text("lightweight", "leicht", "léger"),
            Text("recycled", "recycelt", "recyclé"),
            Text("with light", "mit Licht", "avec éclairage"),
            Text("magnetic buckle", "Magnetverschluss", "boucle magnétique"),
        ),
        localizable=True,
    ),
    Property(
        "Price",
        Text("Price (EUR)", "Preis (EUR)", "Prix (EUR)"),
        "Commerce",
        "Decimal",
        decimals=2,
        required=True,
    ),
    Property(
        "Brand",
        Text("Brand", "Marke", "Marque"),
        "Commerce",
        "Dropdown",
        values=(
            Text("Spokewell Works"),
            Text("Hollis & Finch"),
            Text("Velometer"),
            Text("Karu"),
        ),
        required=True,
    ),
    Property(
        "InStock", Text("In stock", "Lieferbar", "En stock"), "Commerce", "Toggle"
    ),
    Property(
        "RestockedAt",
        Text("Restocked at", "Nachgefüllt", "Réapprovisionné"),
        "Commerce",
        "DateTimePicker",
    ),
    Property(
        "EAN", Text("EAN"), "Commerce", "TextField", pattern=r"^\d{13}$", max_length=13
    ),
    Property(
        "AvailableFrom",
        Text("Available from", "Verfügbar ab", "Disponible à partir du"),
        "Commerce",
        "DatePicker",
    ),
    Property(
        "Colour",
        Text("Colour", "Farbe", "Couleur"),
        "Commerce",
        "Dropdown",
        values=tuple(COLOURS.values()),
        localizable=True,
    ),
    Property(
        "FrameSize",
        Text("Frame size", "Rahmengröße", "Taille du cadre"),
        "Technical",
        "Dropdown",
        values=tuple(map(Text, ("S", "M", "L", "XL", "One size"))),
    ),
    Property(
        "Size",
        Text("Size", "Größe", "Taille"),
        "Technical",
        "Dropdown",
        values=tuple(
            map(Text, ("XS", "S", "M", "L", "XL", "52–56 cm", "57–61 cm", "48–53 cm"))
        ),
    ),
    Property(
        "RidingStyles",
        Text("Riding styles", "Einsatz", "Usages"),
        "Technical",
        "MultiSelect",
        values=(
            Text("Commuting", "Pendeln", "Trajets quotidiens"),
            Text("Shopping", "Einkaufen", "Courses"),
            Text("Touring", "Reisen", "Voyage"),
            Text("Gravel", "Gravel", "Gravel"),
            Text("Family", "Familie", "Famille"),
            Text("Learning", "Lernen", "Apprentissage"),
        ),
        required=True,
        localizable=True,
    ),
    Property(
        "FrameMaterial",
        Text("Frame material", "Rahmenmaterial", "Matériau du cadre"),
        "Technical",
        "RadioButton",
        values=(Text("Steel"), Text("Aluminium"), Text("Titanium")),
        required=True,
    ),
    Property(
        "Gears",
        Text("Gears", "Gänge", "Vitesses"),
        "Technical",
        "Decimal",
        required=True,
    ),
    Property(
        "Weight",
        Text("Weight (kg)", "Gewicht (kg)", "Poids (kg)"),
        "Technical",
        "Decimal",
        decimals=2,
        required=True,
    ),
    Property(
        "Electric",
        Text("Electric assistance", "Elektroantrieb", "Assistance électrique"),
        "Technical",
        "Toggle",
        required=True,
    ),
    Property(
        "Equipment",
        Text("Equipment", "Ausstattung", "Équipement"),
        "Technical",
        "MultiSelect",
        values=(
            Text("Mudguards", "Schutzbleche", "Garde-boue"),
            Text("Rear rack", "Gepäckträger", "Porte-bagages"),
            Text("Dynamo light", "Dynamolicht", "Éclairage dynamo"),
            Text("Kickstand", "Ständer", "Béquille"),
            Text("Frame lock", "Rahmenschloss", "Antivol de cadre"),
            Text("Child seat", "Kindersitz", "Siège enfant"),
        ),
        localizable=True,
    ),
    Property(
        "SafetyStandards",
        Text("Safety standards", "Prüfnormen", "Normes"),
        "Care",
        "MultiSelect",
        values=(Text("EN 1078"), Text("EN 1080"), Text("NTA 8776")),
        required=True,
    ),
    Property("Vents", Text("Vents", "Belüftung", "Aérations"), "Technical", "Decimal"),
    Property(
        "TestedOn", Text("Tested on", "Geprüft am", "Testé le"), "Care", "DatePicker"
    ),
    Property(
        "CareInstructions",
        Text("Care instructions", "Pflege", "Entretien"),
        "Care",
        "TextArea",
        localizable=True,
    ),
    Property(
        "Fabric",
        Text("Fabric", "Material", "Matière"),
        "Technical",
        "TextField",
        localizable=True,
        required=True,
        max_length=120,
    ),
    Property(
        "Fit",
        Text("Fit", "Schnitt", "Coupe"),
        "Technical",
        "RadioButton",
        values=(Text("Relaxed"), Text("Regular"), Text("Close")),
        required=True,
        localizable=True,
    ),
    Property(
        "Waterproof",
        Text("Waterproof", "Wasserdicht", "Étanche"),
        "Technical",
        "Toggle",
    ),
    Property(
        "Seasons",
        Text("Seasons", "Jahreszeiten", "Saisons"),
        "Technical",
        "MultiSelect",
        values=(
            Text("Spring", "Frühling", "Printemps"),
            Text("Summer", "Sommer", "Été"),
            Text("Autumn", "Herbst", "Automne"),
            Text("Winter", "Winter", "Hiver"),
        ),
        localizable=True,
    ),
    Property(
        "Volume",
        Text("Volume (l)", "Volumen (l)", "Volume (l)"),
        "Technical",
        "Decimal",
        decimals=1,
    ),
    Property(
        "Brightness",
        Text("Brightness (lux)", "Helligkeit (Lux)", "Luminosité (lux)"),
        "Technical",
        "Decimal",
    ),
    Property(
        "BatteryLife",
        Text("Battery life (h)", "Laufzeit (h)", "Autonomie (h)"),
        "Technical",
        "Decimal",
        decimals=1,
    ),
    Property("Rechargeable", Text("Rechargeable", "Aufladbar"), "Technical", "Toggle"),
    Property(
        "SecurityLevel",
        Text("Security level", "Sicherheitsstufe", "Niveau de sécurité"),
        "Care",
        "RadioButton",
        values=tuple(map(Text, ("Basic", "City", "Maximum"))),
    ),
    Property(
        "MountsOn",
        Text("Mounts on", "Befestigung", "Fixation"),
        "Technical",
        "MultiSelect",
        values=(
            Text("Handlebar", "Lenker", "Guidon"),
            Text("Seatpost", "Sattelstütze", "Tige de selle"),
            Text("Frame", "Rahmen", "Cadre"),
            Text("Rack", "Gepäckträger", "Porte-bagages"),
        ),
    ),
    Property(
        "SpareParts",
        Text("Spare parts until", "Ersatzteile bis", "Pièces disponibles jusqu’au"),
        "Care",
        "DatePicker",
    ),
]


@dataclass(frozen=True, slots=True)
class Template:
    """Has the properties of its parent as well; all begin at the starter template."""

    name: Text
    properties: tuple[str, ...]
    parent: str | None = None


STARTER_TEMPLATE = "Starter Template"
_SHOP = ("Summary", "Description", "Price")
_VARIANT = ("Colour", "InStock")

TEMPLATES = [
    Template(
        Text("Bicycle", "Fahrrad", "Vélo"),
        (
            *_SHOP,
            *_VARIANT,
            "FrameSize",
            "EAN",
            "RestockedAt",
            "Brand",
            "RidingStyles",
            "FrameMaterial",
            "Gears",
            "Weight",
            "Electric",
            "AvailableFrom",
            "Equipment",
        ),
    ),
    # Has no page class of its own: its products become pages of the parent's class.
    Template(Text("Cargo bicycle", "Lastenrad", "Vélo cargo"), ("Volume",), "Bicycle"),
    Template(
        Text("Helmet", "Helm", "Casque"),
        (
            *_SHOP,
            *_VARIANT,
            "Size",
            "SafetyStandards",
            "Vents",
            "Weight",
            "TestedOn",
            "Labels",
            "CareInstructions",
        ),
    ),
    Template(
        Text("Apparel", "Bekleidung", "Vêtement"),
        (
            *_SHOP,
            *_VARIANT,
            "Size",
            "Fabric",
            "Fit",
            "Waterproof",
            "Seasons",
            "CareInstructions",
        ),
    ),
    # Has no page class either, nor has any ancestor: shown by the generic page types.
    Template(
        Text("Accessory", "Zubehör", "Accessoire"),
        (
            *_SHOP,
            *_VARIANT,
            "Brand",
            "Volume",
            "Brightness",
            "BatteryLife",
            "Rechargeable",
            "SecurityLevel",
            "MountsOn",
            "Weight",
            "Waterproof",
            "SpareParts",
        ),
    ),
]

RELATIONSHIPS = {
    "goes-with": Text("Goes well with", "Passt dazu", "Va bien avec"),
    "instead": Text("Instead of this", "Alternativen", "À la place"),
    "upgrade": Text("A step up", "Eine Stufe höher", "Un cran au-dessus"),
}
