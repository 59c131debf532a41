"""Every format's own rows are claimed by that format, and by no other as surely."""

import pytest

from domain.cdr import registry
from tests.domain.cdr import (
    dialects,
    test_asterisk_db,
    test_avaya_smdr,
    test_broadworks_xml,
    test_cucm,
    test_freeswitch,
    test_grandstream_json,
    test_kamailio_acc,
    test_opensips_flat,
    test_threecx,
    test_yeastar_json,
)
from tests.domain.cdr.dialects import source, text

SAMPLES = {
    "asterisk-csv": [text(dialects.row()), text(dialects.CSV, dialects.row())],
    "asterisk-custom": [text(dialects.row(dialects.CUSTOM))],
    "asterisk-db": [
        text(*[columns] * header, test_asterisk_db.row(columns))
        for columns in (*test_asterisk_db.EXPORTS, test_asterisk_db.REDUCED)
        for header in (True, False)
    ],
    "freeswitch-csv": [test_freeswitch.line(t) for t in test_freeswitch.TEMPLATES.values()],
    "freeswitch-json": [
        shape([test_freeswitch.obj()] * 2) for shape in test_freeswitch.SHAPES.values()
    ],
    "3cx": [
        text(test_threecx.row()),
        text(test_threecx.COLUMNS, test_threecx.row()),
    ],
}
for module in (
    test_cucm,
    test_avaya_smdr,
    test_broadworks_xml,
    test_kamailio_acc,
    test_opensips_flat,
    test_yeastar_json,
    test_grandstream_json,
):
    name = module.__name__.rpartition(".test_")[2].replace("_", "-")
    SAMPLES[name] = [module.SAMPLE]
CASES = [(name, content) for name, contents in SAMPLES.items() for content in contents]


@pytest.mark.parametrize(("name", "content"), CASES)
def test_a_formats_own_rows_are_claimed_by_it_alone(name, content):
    file = source(content)
    scores = {reader.name: reader.recognises(file) for reader in registry.FORMATS.values()}
    best = scores.pop(name)
    assert best > 0.5
    assert best > max(scores.values())


@pytest.mark.parametrize(("name", "content"), CASES)
@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_another_delimiter_changes_nothing(name, content, delimiter):
    if name.endswith("json"):
        content = content.replace("\n", "\r\n")
    else:
        content = content.replace('","', f'"{delimiter}"')
    assert registry.detect(source(content)).name == name
