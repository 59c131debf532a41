"""`flask instalment`, as typed: ending a plan, and many of them from a file."""

import pytest

from models import AuditEvent, Client, db
from models_billing import Instalment, InstalmentPlan
from services import import_turns
from tests.commands.test_money import rows, typed  # noqa: F401 - a fixture
from tests.factories import make_subscriber

ADD = ("instalment", "add", "100", "--contract", "Р-1", "--goods", "Телефон", "--price", "100")
ADD = (*ADD, "--months", "3", "--from", "2026-01-31", "--serial", "35-12345")
TITLES = "Лицевой счёт;Номер;Договор рассрочки;Товар/модель;IMEI;Стоимость с НДС"
RUSSIAN = f"""{TITLES};Первый взнос;Взносов;Дата начала;Плательщик
100;8 017 123-45-67;Р-1;Телефон;351;1 200,00;200;10;15.03.2026;Сотрудник
100;;Р-2;Шлюз;;100;;3;31.01.2026;
100;;Р-2;Шлюз;;100;;3;31.01.2026;
"""
ENGLISH = "account,contract,goods,price,parts,start\n100,Р-3,Phone,12.50,2,2026-03-15\n"


@pytest.fixture
def file(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "plans.csv"
        path.write_bytes(text.encode(encoding))
        return str(path)

    return write


def test_a_plan_is_ended_once(typed):  # noqa: F811
    typed(*ADD)
    typed(*(part.replace("Р-1", "Р-2") for part in ADD))
    end = ("instalment", "end", "100", "Р-1", "--as", "repaid")
    with import_turns.one_at_a_time(typed.app.config["CABINET"].data_dir):
        status, output = typed(*end)
        assert (status, "try again" in output) == (1, True)
    assert typed(*end, "--on", "2026-03-11")[0] == 2
    assert typed(*end) == (0, "Р-1: 100,00 BYN due 2026-01-31\n")  # as the first of them was
    assert typed(*end)[0] == 2
    assert typed("instalment", "end", "100", "Р-9", "--as", "repaid")[0] == 1
    off = typed("instalment", "end", "100", "Р-2", "--as", "called-off", "--on", "09.03.2026")
    assert off == (0, "Р-2: 100,00 BYN never billed\n")
    listed = typed("instalment", "list", "100")[1]
    assert "Р-1\tТелефон\t100,00 BYN\trepaid 2026-03-10" in listed
    assert "\t1\t2026-01-31\t100,00 BYN\topen" in listed
    assert "Р-2\tТелефон\t100,00 BYN\tcalled_off 2026-03-09" in listed
    assert listed.count("\tcalled off\n") == 3
    assert rows(InstalmentPlan, "serial_no") == [("35-12345",)] * 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp1251"])
def test_many_plans_are_read_once_however_often(typed, file, encoding):  # noqa: F811
    with db.connection_context():
        make_subscriber(Client.get(), number="375171234567")
    path = file(RUSSIAN, encoding)
    status, output = typed("instalment", "import", path, "--dry-run")
    assert (status, rows(InstalmentPlan, "id")) == (0, [])
    assert "2 added, 1300,00 BYN; 1 known already" in output
    assert typed("instalment", "import", path)[0] == 0
    assert "0 added, 0,00 BYN; 3 known already" in typed("instalment", "import", path)[1]
    assert rows(InstalmentPlan, "contract_no", "price", "first_payment", "serial_no", "payer") == [
        ("Р-1", 120_000, 20_000, "351", "employee"),
        ("Р-2", 10_000, 0, "", "client"),
    ]
    assert rows(InstalmentPlan, "subscriber") == [(1,), (None,)]
    assert [amount for (amount,) in rows(Instalment, "amount")] == [10_000] * 10 + [
        3_334, 3_333, 3_333,
    ]  # fmt: skip
    assert [event for (event,) in rows(AuditEvent, "event")].count("instalments_added") == 2


def test_a_contract_that_ended_is_no_known_one(typed, file):  # noqa: F811
    path = file(RUSSIAN)
    with db.connection_context():
        make_subscriber(Client.get(), number="375171234567")
    assert typed("instalment", "import", path)[0] == 0
    assert typed("instalment", "end", "100", "Р-2", "--as", "called-off")[0] == 0
    status, output = typed("instalment", "import", path)
    assert status == 2
    assert "the plan of this contract ended on 10.03.2026" in output


def test_each_line_that_is_wrong_is_named_and_nothing_stored(typed, file):  # noqa: F811
    lines = [
        "100,Р-3,Phone,13,2,2026-03-15",
        "999,Р-4,Phone,12.50,2,2026-03-15",
        "100,Р-5,Phone,12.505,2,2026-03-15",
        "100,Р-6,Phone,12.50,two,2026-03-15",
        "100,Р-7,Phone,12.50,121,2026-03-15",
        "100,Р-8,Phone,12.50,2,2026-13-15",
        "100,,Phone,12.50,2,2026-03-15",
        "100,Р-9,Phone,0.01,2,2026-03-15",
        "100,Р-9,Phone,0.01,2,2026-03-15,x",
    ]
    status, output = typed("instalment", "import", file(ENGLISH + "\n".join(lines)))
    assert (status, rows(InstalmentPlan, "id")) == (2, [])
    told = [line for line in output.splitlines() if line.startswith("line ")]
    assert [int(line.split(":")[0][5:]) for line in told] == list(range(3, 12))
    assert told[0] == "line 3: the same contract as on line 2, but not the same plan"
    assert told[1] == "line 4: no client has the account number 999"


def test_a_file_that_holds_no_plans_is_refused(typed, file):  # noqa: F811
    for text in ("", "account,contract\n", ENGLISH.replace("price", "account"), "\0" + ENGLISH):
        assert typed("instalment", "import", file(text))[0] == 2, text[:40]
    assert typed("instalment", "import", "/nowhere.csv")[0] == 1
    assert typed("instalment", "import", file(ENGLISH))[0] == 0
