"""The shop's pictures: flat drawings, made by code and so always the same.

A drawing is a function that paints on a ``Canvas`` of 400 by 300 units in a colour
of the shop. Everything is drawn large and scaled down, which smooths the edges.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from io import BytesIO
from itertools import pairwise

from PIL import Image, ImageDraw, ImageOps

Point = tuple[float, float]

WIDTH, HEIGHT = 400, 300
PICTURE_SIZE = (800, 600)
OVERSAMPLING = 4

PAPER = "#f6f2ea"
HALO = "#ebe4d6"
SHADOW = "#ddd4c3"
INK = "#25302c"
STEEL = "#8d9693"
LEATHER = "#8a5a34"
LIGHT = "#ffe9a8"
WHITE = "#ffffff"

PAINTS = {
    "Moss": "#4f7a4a",
    "Brick": "#b5482f",
    "Ink": "#2b4468",
    "Chalk": "#d9d4c8",
    "Saffron": "#e0a12b",
    "Slate": "#5f6b73",
    "Plum": "#71395f",
    "Lagoon": "#2f8a8c",
}


def shade(colour: str, factor: float) -> str:
    """The colour darker (below 1) or lighter (above 1)."""
    channels = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{min(255, round(c * factor)):02x}" for c in channels)


class Canvas:
    """Pillow's drawing tools in units of the drawing, with round line ends."""

    def __init__(self) -> None:
        size = (round(WIDTH * OVERSAMPLING), round(HEIGHT * OVERSAMPLING))
        self.image = Image.new("RGB", size, PAPER)
        self._draw = ImageDraw.Draw(self.image)

    def _scaled(self, points: Sequence[Point]) -> list[Point]:
        return [(x * OVERSAMPLING, y * OVERSAMPLING) for x, y in points]

    def line(self, *points: Point, colour: str = INK, width: float = 5) -> None:
        scaled = self._scaled(points)
        thick = round(width * OVERSAMPLING)
        self._draw.line(scaled, fill=colour, width=thick, joint="curve")
        for x, y in scaled:
            r = thick / 2
            self._draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)

    def polygon(self, *points: Point, colour: str) -> None:
        self._draw.polygon(self._scaled(points), fill=colour)

    def disc(self, centre: Point, rx: float, ry: float = 0, *, colour: str) -> None:
        x, y = centre
        ry = ry or rx
        box = self._scaled([(x - rx, y - ry), (x + rx, y + ry)])
        self._draw.ellipse([*box[0], *box[1]], fill=colour)

    def ring(
        self, centre: Point, r: float, colour: str = INK, width: float = 5
    ) -> None:
        self.arc(centre, r, r, 0, 360, colour=colour, width=width)

    def arc(
        self,
        centre: Point,
        rx: float,
        ry: float,
        start: float,
        end: float,
        *,
        colour: str = INK,
        width: float = 5,
    ) -> None:
        x, y = centre
        box = self._scaled([(x - rx, y - ry), (x + rx, y + ry)])
        thick = round(width * OVERSAMPLING)
        self._draw.arc([*box[0], *box[1]], start, end, fill=colour, width=thick)

    def pie(
        self, centre: Point, rx: float, ry: float, start: float, end: float, colour: str
    ) -> None:
        x, y = centre
        box = self._scaled([(x - rx, y - ry), (x + rx, y + ry)])
        self._draw.pieslice([*box[0], *box[1]], start, end, fill=colour)

    def box(
        self,
        left: float,
        top: float,
        right: float,
        bottom: float,
        r: float,
        colour: str,
    ) -> None:
        box = self._scaled([(left, top), (right, bottom)])
        self._draw.rounded_rectangle(
            [*box[0], *box[1]], radius=r * OVERSAMPLING, fill=colour
        )


def _wheel(c: Canvas, centre: Point, r: float) -> None:
    x, y = centre
    for spoke in range(14):
        angle = math.tau * spoke / 14
        rim = (x + r * math.cos(angle), y + r * math.sin(angle))
        c.line(centre, rim, colour="#b9bcb6", width=0.8)
    c.ring(centre, r - 3, colour=STEEL, width=3)
    c.ring(centre, r, width=5)
    c.disc(centre, 5, colour=STEEL)


def _bicycle(
    c: Canvas,
    paint: str,
    *,
    wheel: float = 58,
    step_through: bool = False,
    drop_bar: bool = False,
    guards: bool = True,
    rack: bool = True,
    battery: bool = False,
) -> None:
    ground = 250.0
    rear = (112.0, ground - wheel)
    front = (288.0, ground - wheel)
    crank = (186.0, ground - wheel + 6)
    seat = (160.0, ground - wheel - 82)
    head = (262.0, ground - wheel - 84)
    low_head = (267.0, ground - wheel - 62)

    for hub in (rear, front):
        _wheel(c, hub, wheel)
        if guards:
            c.arc(hub, wheel + 6, wheel + 6, 190, 330, colour=paint, width=4)
    if rack:
        c.line((92, rear[1] - wheel - 12), (162, rear[1] - wheel - 12), width=4)
        c.line((100, rear[1] - wheel - 12), rear, width=3)
    c.line(rear, crank, colour=shade(paint, 0.85), width=5)
    c.line(rear, seat, colour=shade(paint, 0.85), width=5)
    c.line(crank, seat, colour=paint, width=8)
    if step_through:
        c.line(
            low_head, (214, crank[1] - 30), (194, crank[1] - 4), colour=paint, width=10
        )
    else:
        c.line(seat, head, colour=paint, width=8)
        c.line(crank, low_head, colour=paint, width=9)
    c.line(head, low_head, colour=paint, width=10)
    c.line(low_head, (276, low_head[1] + 30), front, colour=shade(paint, 0.8), width=7)
    if battery:
        c.box(198, crank[1] - 54, 222, crank[1] - 8, 7, INK)
        c.box(204, crank[1] - 48, 210, crank[1] - 42, 2, LIGHT)
    c.line(seat, (155, seat[1] - 18), colour=STEEL, width=5)
    c.line((136, seat[1] - 21), (174, seat[1] - 19), colour=LEATHER, width=9)
    c.line(head, (258, head[1] - 18), colour=STEEL, width=5)
    if drop_bar:
        c.line((258, head[1] - 18), (286, head[1] - 18), width=6)
        c.arc((284, head[1] - 2), 17, 16, 270, 90, width=6)
    else:
        c.line((262, head[1] - 22), (244, head[1] - 26), (226, head[1] - 20), width=6)
    c.line(crank, rear, colour=STEEL, width=2)
    c.disc(crank, 15, colour=INK)
    c.disc(crank, 9, colour=STEEL)
    c.line(crank, (204, crank[1] + 26), width=5)
    c.line((196, crank[1] + 27), (213, crank[1] + 27), width=5)
    if not drop_bar:
        c.disc((274, head[1] + 12), 7, colour=LIGHT)


def diamond(c: Canvas, paint: str) -> None:
    _bicycle(c, paint)


def step_through(c: Canvas, paint: str) -> None:
    _bicycle(c, paint, step_through=True)


def electric(c: Canvas, paint: str) -> None:
    _bicycle(c, paint, step_through=True, battery=True)


def single_speed(c: Canvas, paint: str) -> None:
    _bicycle(c, paint, guards=False, rack=False)


def gravel(c: Canvas, paint: str) -> None:
    _bicycle(c, paint, guards=False, rack=False, drop_bar=True)


def tourer(c: Canvas, paint: str) -> None:
    _bicycle(c, paint, drop_bar=True)


def child_bicycle(c: Canvas, paint: str) -> None:
    _bicycle(c, paint, wheel=44, step_through=True, rack=False)


def cargo(c: Canvas, paint: str) -> None:
    """A front loader: the box stands between the rider and a small front wheel."""
    rear, front, crank = (88, 196), (334, 212), (146, 204)
    seat, head = (122, 116), (190, 122)
    _wheel(c, rear, 52)
    _wheel(c, front, 36)
    c.arc(rear, 58, 58, 190, 320, colour=paint, width=4)
    c.line(crank, (196, 222), (300, 222), colour=shade(paint, 0.8), width=9)
    c.line((300, 222), (320, 176), front, colour=shade(paint, 0.8), width=7)
    c.polygon((196, 140), (318, 152), (296, 212), (206, 212), colour=paint)
    c.polygon((196, 140), (318, 152), (314, 164), (198, 152), colour=shade(paint, 1.2))
    c.line((206, 182), (302, 186), colour=shade(paint, 0.8), width=2)
    c.line(rear, crank, colour=shade(paint, 0.8), width=6)
    c.line(rear, seat, colour=shade(paint, 0.8), width=5)
    c.line(crank, seat, colour=paint, width=8)
    c.line(crank, head, colour=paint, width=8)
    c.line(head, (182, 92), colour=STEEL, width=5)
    c.line((186, 90), (170, 86), (156, 92), width=6)
    c.line(seat, (117, 98), colour=STEEL, width=5)
    c.line((98, 95), (138, 97), colour=LEATHER, width=9)
    c.disc(crank, 14, colour=INK)
    c.line(crank, (160, 230), width=5)


def longtail(c: Canvas, paint: str) -> None:
    """A long rear rack with a bag on each side."""
    _bicycle(c, paint, step_through=True, battery=True, rack=False)
    c.line((56, 122), (156, 122), width=6)
    c.line((70, 122), (112, 192), colour=shade(paint, 0.8), width=5)
    c.box(58, 126, 132, 182, 10, shade(paint, 0.75))
    c.box(58, 126, 132, 146, 8, shade(paint, 0.9))
    c.box(90, 140, 100, 158, 2, LEATHER)


def helmet(c: Canvas, paint: str) -> None:
    c.pie((200, 190), 108, 112, 180, 360, paint)
    c.polygon((92, 188), (308, 188), (300, 208), (104, 208), colour=shade(paint, 0.8))
    for x, tilt in ((142, -12), (176, -5), (212, 3), (248, 10)):
        c.line((x, 168), (x - tilt, 116), colour=shade(paint, 0.55), width=11)
    c.line((122, 206), (176, 252), (190, 258), width=5)
    c.line((262, 206), (206, 254), (190, 258), width=5)
    c.box(180, 248, 204, 264, 4, LEATHER)


def urban_helmet(c: Canvas, paint: str) -> None:
    c.pie((200, 196), 104, 116, 180, 360, paint)
    c.polygon((296, 184), (340, 204), (296, 206), colour=shade(paint, 0.6))
    c.box(96, 186, 304, 208, 8, shade(paint, 0.75))
    for x in (160, 200, 240):
        c.disc((x, 124), 8, 5, colour=shade(paint, 0.55))
    c.line((128, 206), (186, 256), width=5)
    c.line((258, 206), (186, 256), width=5)
    c.disc((100, 186), 7, colour="#d8402f")


def jacket(c: Canvas, paint: str) -> None:
    dark = shade(paint, 0.8)
    c.polygon((138, 92), (92, 118), (66, 214), (98, 226), (136, 150), colour=dark)
    c.polygon((262, 92), (308, 118), (334, 214), (302, 226), (264, 150), colour=dark)
    c.polygon(
        (138, 92), (176, 74), (224, 74), (262, 92), (270, 252), (130, 252), colour=paint
    )
    c.pie((200, 84), 40, 40, 180, 360, dark)
    c.pie((200, 86), 26, 28, 180, 360, shade(paint, 0.5))
    c.line((200, 92), (200, 250), colour=shade(paint, 0.55), width=4)
    c.line((132, 202), (268, 202), colour="#e9ecea", width=6)
    c.line((146, 168), (176, 162), colour=shade(paint, 0.55), width=3)


def vest(c: Canvas, paint: str) -> None:
    c.polygon(
        (150, 82),
        (178, 70),
        (200, 92),
        (222, 70),
        (250, 82),
        (252, 130),
        (270, 156),
        (264, 250),
        (136, 250),
        (130, 156),
        (148, 130),
        colour=paint,
    )
    c.line((200, 94), (200, 248), colour=shade(paint, 0.55), width=4)
    c.line((136, 196), (264, 196), colour="#e9ecea", width=6)


def jersey(c: Canvas, paint: str) -> None:
    dark = shade(paint, 0.82)
    c.polygon((150, 84), (100, 112), (84, 164), (120, 176), (144, 140), colour=dark)
    c.polygon((250, 84), (300, 112), (316, 164), (280, 176), (256, 140), colour=dark)
    c.polygon(
        (150, 84), (178, 74), (222, 74), (250, 84), (258, 248), (142, 248), colour=paint
    )
    c.pie((200, 72), 24, 20, 0, 180, shade(paint, 0.5))
    c.box(146, 150, 254, 162, 0, shade(paint, 1.25))
    c.box(146, 170, 254, 176, 0, shade(paint, 1.25))


def trousers(c: Canvas, paint: str) -> None:
    c.polygon(
        (148, 78),
        (252, 78),
        (268, 204),
        (212, 208),
        (200, 132),
        (188, 208),
        (132, 204),
        colour=paint,
    )
    c.box(146, 70, 254, 86, 4, shade(paint, 0.7))
    c.line((160, 110), (182, 104), colour=shade(paint, 0.6), width=3)
    c.line((240, 110), (218, 104), colour=shade(paint, 0.6), width=3)


def gloves(c: Canvas, paint: str) -> None:
    for x, side in ((138, 1), (262, -1)):
        for finger in range(4):
            fx = x - 27 + finger * 18
            top = 96 if finger in (1, 2) else 112
            c.line((fx, 160), (fx, top), colour=paint, width=16)
        c.box(x - 36, 140, x + 36, 216, 14, paint)
        c.line(
            (x + side * 30, 184),
            (x + side * 54, 146),
            colour=shade(paint, 0.9),
            width=17,
        )
        c.box(x - 36, 210, x + 36, 244, 6, shade(paint, 0.6))
        c.line((x - 20, 168), (x + 16, 168), colour=shade(paint, 1.3), width=3)


def overshoe(c: Canvas, paint: str) -> None:
    for dx, dy, tone in ((24, -26, 0.75), (-20, 0, 1.0)):
        colour = shade(paint, tone)
        c.polygon(
            (146 + dx, 96 + dy),
            (206 + dx, 96 + dy),
            (212 + dx, 178 + dy),
            (288 + dx, 208 + dy),
            (296 + dx, 238 + dy),
            (140 + dx, 238 + dy),
            colour=colour,
        )
        c.line((140 + dx, 242 + dy), (296 + dx, 242 + dy), width=8)
        c.line((150 + dx, 122 + dy), (206 + dx, 122 + dy), colour=WHITE, width=4)


def pannier(c: Canvas, paint: str) -> None:
    c.box(120, 92, 280, 250, 18, paint)
    c.box(112, 84, 288, 150, 16, shade(paint, 0.85))
    for x in (154, 246):
        c.box(x - 8, 96, x + 8, 196, 4, LEATHER)
        c.box(x - 11, 160, x + 11, 178, 3, "#d8b26a")
    c.arc((200, 86), 26, 24, 180, 360, width=7)
    c.disc((200, 216), 9, colour="#e9ecea")


def handlebar_bag(c: Canvas, paint: str) -> None:
    c.line((84, 108), (316, 108), colour=STEEL, width=9)
    c.disc((84, 108), 9, colour=INK)
    c.disc((316, 108), 9, colour=INK)
    c.box(122, 118, 278, 226, 44, paint)
    c.box(122, 118, 278, 162, 22, shade(paint, 0.82))
    for x in (160, 240):
        c.box(x - 7, 102, x + 7, 184, 3, LEATHER)
    c.disc((200, 200), 8, colour="#e9ecea")


def saddle_bag(c: Canvas, paint: str) -> None:
    c.line((96, 112), (190, 104), (304, 112), colour=LEATHER, width=20)
    c.line((150, 122), (250, 126), colour=STEEL, width=5)
    c.polygon((150, 134), (296, 138), (274, 220), (172, 206), colour=paint)
    c.polygon((150, 134), (296, 138), (290, 160), (156, 154), colour=shade(paint, 0.8))
    c.disc((282, 188), 7, colour="#d8402f")


def front_light(c: Canvas, paint: str) -> None:
    c.polygon((250, 130), (388, 84), (388, 236), (250, 190), colour=LIGHT)
    c.box(128, 122, 230, 198, 24, paint)
    c.polygon((220, 122), (258, 108), (258, 212), (220, 198), colour=shade(paint, 0.7))
    c.disc((258, 160), 12, 50, colour=WHITE)
    c.box(160, 194, 188, 244, 6, INK)
    c.disc((152, 160), 6, colour="#7bd07f")


def rear_light(c: Canvas, paint: str) -> None:
    c.disc((200, 160), 96, colour="#f3cfc6")
    c.box(146, 84, 254, 236, 34, paint)
    c.box(160, 100, 240, 220, 26, "#d8402f")
    for y in (130, 160, 190):
        c.disc((200, y), 13, colour="#ff9d8e")


def u_lock(c: Canvas, paint: str) -> None:
    c.arc((200, 142), 66, 78, 180, 360, colour=STEEL, width=18)
    c.line((143, 140), (143, 214), colour=STEEL, width=18)
    c.line((257, 140), (257, 214), colour=STEEL, width=18)
    c.box(104, 204, 296, 246, 18, paint)
    c.disc((200, 225), 9, colour=INK)


def folding_lock(c: Canvas, paint: str) -> None:
    corners = [(112, 216), (150, 92), (226, 120), (292, 88), (282, 218), (186, 244)]
    for start, end in pairwise(corners):
        c.line(start, end, colour=paint, width=22)
        c.disc(start, 5, colour=WHITE)
    c.box(92, 204, 140, 252, 10, INK)
    c.disc((116, 228), 7, colour="#d8b26a")


def pump(c: Canvas, paint: str) -> None:
    c.line((130, 78), (230, 78), colour=LEATHER, width=16)
    c.line((180, 78), (180, 130), colour=STEEL, width=8)
    c.box(164, 122, 196, 240, 6, paint)
    c.line((128, 246), (232, 246), width=12)
    c.arc((230, 176), 56, 66, 270, 120, width=6)
    c.line((230, 110), (196, 132), width=6)
    c.disc((180, 214), 20, colour=INK)
    c.disc((180, 214), 14, colour=WHITE)
    c.line((180, 214), (188, 206), colour="#d8402f", width=3)


def bell(c: Canvas, paint: str) -> None:
    c.line((76, 224), (324, 224), colour=STEEL, width=18)
    c.box(180, 190, 220, 236, 8, INK)
    c.pie((200, 190), 84, 92, 180, 360, paint)
    c.box(112, 184, 288, 198, 7, shade(paint, 0.75))
    c.disc((200, 98), 11, colour=shade(paint, 0.6))
    c.line((284, 192), (326, 168), width=9)
    c.arc((186, 186), 58, 62, 200, 260, colour=shade(paint, 1.4), width=7)


def multitool(c: Canvas, paint: str) -> None:
    for angle, length in ((-150, 96), (-120, 86), (-92, 100), (-58, 84), (-28, 92)):
        end = (
            200 + length * math.cos(math.radians(angle)),
            178 + length * math.sin(math.radians(angle)),
        )
        c.line((200, 178), end, colour=STEEL, width=8)
    c.box(116, 166, 284, 226, 28, paint)
    c.disc((148, 196), 10, colour=STEEL)
    c.disc((252, 196), 10, colour=STEEL)


def bottle(c: Canvas, paint: str) -> None:
    c.box(158, 118, 242, 250, 16, paint)
    c.box(166, 154, 234, 166, 4, shade(paint, 0.75))
    c.box(158, 186, 242, 222, 4, shade(paint, 1.25))
    c.box(164, 92, 236, 122, 10, INK)
    c.box(186, 66, 214, 94, 8, STEEL)


Drawing = Callable[[Canvas, str], None]

DRAWINGS: dict[str, Drawing] = {
    drawing.__name__.replace("_", "-"): drawing
    for drawing in (
        bell,
        bottle,
        cargo,
        child_bicycle,
        diamond,
        electric,
        folding_lock,
        front_light,
        gloves,
        gravel,
        handlebar_bag,
        helmet,
        jacket,
        jersey,
        longtail,
        multitool,
        overshoe,
        pannier,
        pump,
        rear_light,
        saddle_bag,
        single_speed,
        step_through,
        tourer,
        trousers,
        u_lock,
        urban_helmet,
        vest,
    )
}


View = Callable[[Image.Image], Image.Image]


def _whole(image: Image.Image) -> Image.Image:
    return image


def _close(image: Image.Image) -> Image.Image:
    """The middle of it, twice as large."""
    width, height = image.size
    return image.crop((width // 4, height // 4, width * 3 // 4, height * 3 // 4))


VIEWS: dict[str, View] = {
    "": _whole,
    "from the other side": ImageOps.mirror,
    "close up": _close,
}
"""Ways to look at a drawing, by what alternative texts call them."""


def draw(name: str, colour: str, view: str = "") -> bytes:
    """The drawing in one of the shop's colours, seen in one of VIEWS, as a PNG file."""
    image = VIEWS[view](_painted(name, colour))
    file = BytesIO()
    image.resize(PICTURE_SIZE, Image.Resampling.LANCZOS).save(file, "PNG")
    return file.getvalue()


@lru_cache(maxsize=8)
def _painted(name: str, colour: str) -> Image.Image:
    canvas = Canvas()
    canvas.disc((200, 150), 142, colour=HALO)
    canvas.disc((200, 256), 150, 9, colour=SHADOW)
    DRAWINGS[name](canvas, PAINTS[colour])
    return canvas.image
