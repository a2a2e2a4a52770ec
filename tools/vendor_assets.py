"""Brings the front end's foreign files into static/ from the npm registry: run by a developer, never by a user.

    python tools/vendor_assets.py

The one other thing it needs is `fonttools`, to cut the bold face down to the characters of GB 2312.

Each package is packed by name and exact version; the wanted files, their licence and a manifest of SHA-384 hashes
land under static/vendor/, and the used icons in the one sprite static/icons.svg. What only the tests load, a second
implementation to compare ours with, lands in the same way under tests/vendor/.
"""

import base64
import hashlib
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "static"
VENDOR = STATIC / "vendor"
ORACLES = ROOT / "tests" / "vendor"


@dataclass(frozen=True, slots=True)
class Package:
    """One npm package and the single file of it that the pages load."""

    key: str
    name: str
    version: str
    licence: str
    file: str


TABLER = Package("tabler", "@tabler/core", "1.6.1", "MIT", "dist/css/tabler.min.css")
HTMX = Package("htmx", "htmx.org", "4.0.1", "0BSD", "dist/htmx.min.js")
HPKE = Package("hpke", "hpke", "1.1.7", "MIT", "index.js")
ICONS = Package("icons", "@tabler/icons", "3.51.0", "MIT", "icons/outline")

# The faces of printed sheets. Names of people need every character, emphasis does not: the bold one is cut down.
FACES = ("@expo-google-fonts/noto-sans-sc", "0.4.3", "OFL-1.1")
NOTO = Package("noto-sans-sc", *FACES, "400Regular/NotoSansSC_400Regular.ttf")
NOTO_BOLD = Package("noto-sans-sc-bold", *FACES, "700Bold/NotoSansSC_700Bold.ttf")

# One whole package each, but only the modules that blind signatures need: (package, files kept with their paths).
BLIND_RSA = Package("blindrsa-ts", "@cloudflare/blindrsa-ts", "0.4.4", "Apache-2.0", "lib/src/blindrsa.js")
BLIND_RSA_MODULES = ("blindrsa.js", "util.js", "sjcl/index.js")
SJCL = Package("sjcl", "sjcl", "1.0.8", "BSD-2-Clause OR GPL-2.0-only", "sjcl.js")  # inside the former; its licence

# Only what the pages name: a sprite of all outline icons would weigh more than the rest of a page together.
ICON_NAMES = """
adjustments alert-circle alert-triangle archive arrow-back-up arrow-down arrow-left arrow-right arrow-up award
ballpen bell book briefcase building calendar calendar-event chart-bar chart-dots chart-radar check checklist
chevron-down chevron-left chevron-right chevron-up circle circle-check circle-dashed circle-half-2 circle-x clipboard
clock cloud-check cloud-off copy database dots download edit external-link eye eye-off file-description
file-spreadsheet file-text filter fingerprint flag flask gift hierarchy history home hourglass id info-circle key
language list-check lock lock-open logout mail mail-check mail-opened mail-x menu-2 message message-2 minus notes
phone plug-connected plug-connected-x plus printer qrcode refresh scale search send settings shield shield-check
shield-lock sitemap star table-export target thumb-up ticket trash trophy upload user user-check user-plus user-x
users users-group webhook world writing-sign x
""".split()  # noqa: SIM905 - a hundred quoted names would hide what is there

PIP = '<circle cx="{x}" cy="5" r="3.5" fill="{fill}" stroke="currentColor" stroke-width="1.2"/>'


def unpack(package: Package, into: Path) -> Path:
    """The package's folder, freshly fetched through the ordinary npm client."""
    spec = f"{package.name}@{package.version}"
    packed = subprocess.run(  # noqa: S603 - fixed arguments
        ["npm", "pack", "--silent", spec],  # noqa: S607 - the developer's own npm
        cwd=into,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()[-1]
    folder = into / package.key
    with tarfile.open(into / packed) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def sha384(content: bytes) -> str:
    """The hash as browsers want it in an integrity attribute."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def symbol(name: str, svg: str) -> str:
    """One icon as a sprite symbol, without the invisible frame each file begins with."""
    shapes = re.findall(r"<(?:path|circle|rect|line|polyline)\b[^>]*/>", svg)
    drawn = "".join(shape.replace(" />", "/>") for shape in shapes if 'stroke="none" d="M0 0h24v24H0z"' not in shape)
    return f'<symbol id="{name}" viewBox="0 0 24 24">{drawn}</symbol>'


def pips(level: int) -> str:
    """Our own symbol of a level: four dots, as many filled as the level has steps."""
    dots = "".join(PIP.format(x=5 + 10 * n, fill="currentColor" if n < level else "none") for n in range(4))
    return f'<symbol id="pips-{level}" viewBox="0 0 40 10">{dots}</symbol>'


def write_sprite(folder: Path) -> Path:
    """static/icons.svg: the named outline icons and the pips of the levels."""
    icons = [symbol(name, (folder / f"{name}.svg").read_text()) for name in ICON_NAMES]
    sprite = STATIC / "icons.svg"
    body = "\n".join(icons + [pips(level) for level in range(5)])
    sprite.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg">\n<!-- {ICONS.name} {ICONS.version}, MIT licence, '
        f"see vendor/icons/LICENSE -->\n{body}\n</svg>\n"
    )
    return sprite


def licence_text(package: Package, source: Path, mit: str) -> str:
    """The package's licence; @tabler/core ships none, so its file header names the holders of the MIT text."""
    for name in ("LICENSE", "LICENSE.md", "LICENSE.txt"):
        if (source / name).exists():
            return (source / name).read_text()
    header = (source / package.file).read_text()[:600]
    holders = "\n".join(re.findall(r"Copyright [^\n]+", header))
    return re.sub(r"Copyright [^\n]+", lambda _: holders, mit, count=1)


def gb2312() -> str:
    """The characters of GB 2312 and of ASCII."""
    found = [chr(code) for code in range(0x20, 0x7F)]
    for high in range(0xA1, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                found.append(bytes((high, low)).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return "".join(found)


def write_face(package: Package, source: Path, *, cut: bool) -> Path:
    """static/vendor/<key>/: the face, whole or cut down to GB 2312, and its licence."""
    home = VENDOR / package.key
    home.mkdir(parents=True, exist_ok=True)
    target = home / Path(package.file).name
    if cut:
        options = [str(source / package.file), f"--text={gb2312()}", f"--output-file={target}", "--no-hinting"]
        subprocess.run([sys.executable, "-m", "fontTools.subset", *options], check=True)  # noqa: S603 - fixed arguments
    else:
        target.write_bytes((source / package.file).read_bytes())
    (home / "LICENSE").write_text((source / "LICENSE_FONT").read_text())
    return target


def entry(package: Package, target: Path) -> dict[str, str]:
    """What the manifest says of one file."""
    return {
        "key": package.key,
        "name": package.name,
        "version": package.version,
        "licence": package.licence,
        "file": target.relative_to(STATIC).as_posix(),
        "sha384": sha384(target.read_bytes()),
    }


def write_oracle(scratch: Path) -> None:
    """tests/vendor/blindrsa-ts/: the modules as they are, both licences, and their hashes."""
    home = ORACLES / BLIND_RSA.key
    source = unpack(BLIND_RSA, scratch)
    hashes = {}
    for name in BLIND_RSA_MODULES:
        target = home / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((source / "lib/src" / name).read_bytes())
        hashes[name] = sha384(target.read_bytes())
    (home / "LICENSE").write_text(licence_text(BLIND_RSA, source, ""))
    (home / "sjcl" / "LICENSE").write_text(licence_text(SJCL, unpack(SJCL, scratch), ""))
    said = {"name": BLIND_RSA.name, "version": BLIND_RSA.version, "licence": BLIND_RSA.licence, "sha384": hashes}
    (home / "manifest.json").write_text(json.dumps(said, indent=2) + "\n")


def main() -> int:
    """Fetch, copy, hash; returns the process' exit code."""
    STATIC.mkdir(exist_ok=True)
    entries = []
    with tempfile.TemporaryDirectory() as scratch:
        sources = {package.key: unpack(package, Path(scratch)) for package in (TABLER, HTMX, HPKE, ICONS)}
        write_oracle(Path(scratch))
        mit = (sources["icons"] / "LICENSE").read_text()
        for package in (TABLER, HTMX, HPKE, ICONS):
            home = VENDOR / package.key
            home.mkdir(parents=True, exist_ok=True)
            source = sources[package.key]
            (home / "LICENSE").write_text(licence_text(package, source, mit))
            if package is ICONS:
                target = write_sprite(source / package.file)
            else:
                target = home / Path(package.file).name
                target.write_bytes((source / package.file).read_bytes())
            entries.append(entry(package, target))
        faces = unpack(NOTO, Path(scratch))
        entries.append(entry(NOTO, write_face(NOTO, faces, cut=False)))
        entries.append(entry(NOTO_BOLD, write_face(NOTO_BOLD, faces, cut=True)))
    (VENDOR / "manifest.json").write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.write("".join(f"{made['name']} {made['version']} -> static/{made['file']}\n" for made in entries))
    return 0


if __name__ == "__main__":
    sys.exit(main())
