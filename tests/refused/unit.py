"""What is refused of units that merge, split or end."""

from datetime import date

from mileage.ledger import MemberJoined, MemberTransferred, UnitEstablished
from mileage.ledger.kinds.unit import UnitAbolished, UnitMerged, UnitSplit

JULY = date(2005, 7, 1)
AUGUST = date(2005, 8, 1)

JUNE = date(2005, 6, 1)
MERGED = [(UnitMerged("SEOUL", "HQ"), JULY)]
TO_BUSAN = [
    (UnitEstablished("BUSAN", "부산", "Busan"), JUNE),
    (UnitEstablished("NEW", "신설", "New"), JUNE),
    (UnitMerged("SEOUL", "HQ"), JULY),
    (UnitMerged("HQ", "BUSAN"), AUGUST),
]

REFUSALS = [
    ("unit.unknown", [], UnitAbolished("NOWHERE", "x"), JULY, "unit"),
    ("unit.unknown", [], UnitMerged("SEOUL", "NOWHERE"), JULY, "into"),
    ("unit.already-ended", MERGED, UnitAbolished("SEOUL", "x"), AUGUST, "unit"),
    ("unit.already-ended", MERGED, UnitSplit("SEOUL", ("HQ",)), AUGUST, "unit"),
    ("unit.already-established", MERGED, UnitEstablished("SEOUL", "x", "x"), AUGUST, "unit"),
    ("unit.into-itself", [], UnitMerged("SEOUL", "SEOUL"), JULY, "into"),
    ("unit.into-itself", [], UnitSplit("SEOUL", ("HQ", "SEOUL")), JULY, "successors"),
    # However the days lie, no unit takes the place of one that takes its own.
    ("unit.in-a-circle", MERGED, UnitMerged("HQ", "SEOUL"), JUNE, "into"),
    ("unit.in-a-circle", TO_BUSAN, UnitSplit("BUSAN", ("NEW", "SEOUL")), JUNE, "successors"),
    ("unit.split-into-one", [], UnitSplit("SEOUL", ("HQ",)), JULY, "successors"),
    # From its first day without it nobody joins it, and nothing is put into it.
    ("unit.ended", MERGED, MemberTransferred("P1", "SEOUL"), JULY, "unit"),
    ("unit.ended", MERGED, MemberJoined("P9", "SEOUL", "G5"), AUGUST, "unit"),
    ("unit.ended", MERGED, UnitEstablished("TEAM", "x", "x", "SEOUL"), AUGUST, "parent"),
    ("unit.ended", MERGED, UnitMerged("HQ", "SEOUL"), AUGUST, "into"),
]
