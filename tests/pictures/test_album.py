"""``make screenshots`` opens pages that there are, and keeps what docs/ show."""

import io
import re

import pytest
from django.urls import resolve
from PIL import Image

from tests.pictures.__main__ import FOLDER, small
from tests.pictures.album import PICTURES, SIZES


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_each_picture_is_of_a_page_that_there_is(picture):
    path, _, _ = re.sub(r"{\w+}", "some_id", picture.path).partition("?")
    assert resolve(path).url_name


def test_the_folder_has_the_pictures_of_the_album_and_no_others():
    assert {file.name for file in FOLDER.iterdir()} == {picture.file for picture in PICTURES}
    assert len({picture.name for picture in PICTURES}) == len(PICTURES)


def test_pictures_have_the_size_of_their_look():
    for picture in PICTURES:
        with Image.open(FOLDER / picture.file) as image:
            assert image.size == SIZES[picture.size], picture.name


def test_no_colour_is_lost_when_a_picture_is_made_small():
    page = Image.new("RGB", (60, 40), "#0b6b5d")
    page.putpixel((3, 3), (200, 30, 90))
    kept = io.BytesIO()
    page.save(kept, "PNG")

    with Image.open(io.BytesIO(small(kept.getvalue()))) as image:
        assert image.convert("RGB").tobytes() == page.tobytes()
