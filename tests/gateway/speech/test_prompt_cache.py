"""The folder of prompts: it never grows beyond its bounds, and outlives what happens to a disk."""

import os
import time

import pytest

from temphone.gateway.speech.prompt_cache import HEAD, KEEP_S, PromptCache, name_of

SOUND = b"ab" * 100
ROOM = HEAD.size + len(SOUND)


def opened(folder, *, rooms=3):
    prompts = PromptCache(folder, most_bytes=rooms * ROOM)
    prompts.open()
    return prompts


def names_in(folder):
    return {path.name for path in folder.iterdir()}


def test_the_longest_unused_go_first(tmp_path):
    prompts = opened(tmp_path)
    for name in ("a.prompt", "b.prompt", "c.prompt"):
        prompts.put(name, SOUND)
    assert prompts.get("a.prompt") == SOUND
    prompts.put("d.prompt", SOUND)
    assert names_in(tmp_path) == {"a.prompt", "c.prompt", "d.prompt"}


def test_what_was_kept_before_counts_after_a_restart(tmp_path):
    prompts = opened(tmp_path)
    for age, name in enumerate(("c.prompt", "b.prompt", "a.prompt")):
        prompts.put(name, SOUND)
        os.utime(tmp_path / name, (time.time() - age, time.time() - age))
    opened(tmp_path, rooms=2)
    assert names_in(tmp_path) == {"c.prompt", "b.prompt"}


def test_what_nobody_wanted_for_a_week_goes(tmp_path):
    opened(tmp_path).put("a.prompt", SOUND)
    os.utime(tmp_path / "a.prompt", (time.time() - KEEP_S - 1,) * 2)
    opened(tmp_path)
    assert names_in(tmp_path) == set()


def test_what_is_used_is_young_again(tmp_path):
    opened(tmp_path).put("a.prompt", SOUND)
    os.utime(tmp_path / "a.prompt", (time.time() - KEEP_S + 60,) * 2)
    opened(tmp_path).get("a.prompt")
    assert (tmp_path / "a.prompt").stat().st_mtime > time.time() - 60


def test_what_a_crash_left_half_written_is_taken_away(tmp_path):
    (tmp_path / "a.prompt.99.part").write_bytes(b"half")
    opened(tmp_path)
    assert names_in(tmp_path) == set()


def test_a_full_disk_leaves_no_half_prompt(tmp_path, monkeypatch, caplog):
    prompts = opened(tmp_path)

    def no_space(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", no_space)
    prompts.put("a.prompt", SOUND)
    assert prompts.get("a.prompt") is None
    assert names_in(tmp_path) == set()
    assert "No space left on device" in caplog.text


def test_another_process_may_take_a_prompt_away(tmp_path):
    prompts = opened(tmp_path, rooms=1)
    prompts.put("a.prompt", SOUND)
    (tmp_path / "a.prompt").unlink()
    assert prompts.get("a.prompt") is None
    prompts.put("b.prompt", SOUND)
    assert prompts.get("b.prompt") == SOUND


def test_one_larger_than_all_room_is_not_kept(tmp_path):
    prompts = opened(tmp_path, rooms=1)
    prompts.put("a.prompt", SOUND * 2)
    assert names_in(tmp_path) == set()


@pytest.mark.parametrize("other", [("e", "", "en", "xy"), ("e", "x", "en", "y"), ("ex", "", "en", "y")])
def test_names_keep_the_parts_apart(other):
    assert name_of("e", "", "enx", "y") != name_of(*other)


def test_a_lone_surrogate_has_a_name():
    assert name_of("e", "", "en", "\ud800") != name_of("e", "", "en", "\ud801")
