"""Images with programs: kept by what is in them."""

from __future__ import annotations

from pathlib import Path

from schedops.adapters.vm.guest_image import with_programs


def test_an_image_is_kept_by_its_programs_content_and_not_by_their_place(tmp_path: Path) -> None:
    image = tmp_path / "initramfs"
    image.write_bytes(b"init")
    made = {}
    for place, content in (("a", b"one"), ("b", b"two"), ("c", b"one")):
        archive = tmp_path / place / "programs" / "archive.cpio"
        archive.parent.mkdir(parents=True)
        archive.write_bytes(content)
        made[place] = with_programs(image, archive)
        assert made[place].read_bytes() == content + b"init"
    assert made["a"] == made["c"] != made["b"]
    archive.write_bytes(b"four")
    assert with_programs(image, archive).read_bytes() == b"fourinit"
