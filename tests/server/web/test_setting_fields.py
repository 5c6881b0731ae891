"""Settings as fields: every one of the engines' records, once."""

from videomama_client.engine_settings import RECORDS, AdjustSettings
from videomama_client.setting_spec import specs_of
from videomama_client.settings import MatteSettings
from videomama_server.web import setting_fields


def names(groups):
    return [one.name for group in groups for one in group.fields]


def test_all_shared_settings_but_the_engine_have_a_field():
    wanted = {f"s.{spec.name}" for spec in specs_of(MatteSettings)} - {"s.engine"}
    found = names(setting_fields.shared({}))
    assert set(found) == wanted
    assert len(found) == len(wanted)


def test_all_settings_of_each_engine_have_a_field():
    for record in RECORDS.values():
        found = names(setting_fields.own("e.", specs_of(record), {}))
        assert sorted(found) == sorted(f"e.{spec.name}" for spec in specs_of(record))


def test_trimap_and_outline_stand_in_groups_of_their_own():
    titles = [group.title for group in setting_fields.own("r.", specs_of(RECORDS["vitmatte"]), {})]
    assert titles == ["Trimap", ""]
    titles = [group.title for group in setting_fields.own("e.", specs_of(RECORDS["classic"]), {})]
    assert titles == ["Outline of the mask", ""]


def test_a_field_knows_its_value_and_default():
    fields = {one.name: one for one in setting_fields.adjustments({"a.grow": "2.5"}).fields}
    assert (fields["a.grow"].value, fields["a.grow"].default, fields["a.grow"].step) == ("2.5", "0", "any")
    assert (fields["a.deflicker_radius"].label, fields["a.deflicker_radius"].step) == ("Deflicker radius", "1")
    assert len(fields) == len(specs_of(AdjustSettings))


def test_yes_or_no_and_choices_are_chosen_from():
    fields = {
        one.name: one
        for group in setting_fields.own("e.", specs_of(RECORDS["videomama"]), {"e.mode": "reference"})
        for one in group.fields
    }
    assert (list(fields["e.soft_mask"].options), fields["e.soft_mask"].chosen) == (["no", "yes"], "no")
    assert fields["e.mode"].chosen == "reference"
