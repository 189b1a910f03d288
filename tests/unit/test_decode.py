"""Decoding: the frames asked for, in the order asked for, from every container, and no damaged clip unnoticed."""

import re
import struct
from pathlib import Path

import av.logging
import numpy as np
import pytest
from PIL import Image
from tiny_clips import counting_frames, textured_frames, told_indices, write_frames, write_video

from harness.data.decode import count_frames, read_frames
from harness.errors import HarnessError

CONTAINERS = [
    ("mp4", "libx264"),
    ("avi", "libx264"),
    ("avi", "mpeg4"),
    ("avi", "mjpeg"),
    ("mkv", "libx264"),
    ("flv", "flv"),
]


@pytest.fixture(params=[*CONTAINERS, ("frames", "")], ids=lambda param: "-".join(param))
def counted(request, tmp_path) -> Path:
    """A clip of 20 frames that tell their indices, in one container after another."""
    ending, codec = request.param
    if ending == "frames":
        return write_frames(tmp_path / "clip", counting_frames(20))
    return write_video(tmp_path / f"clip.{ending}", counting_frames(20), codec)


def test_frames_come_in_the_order_they_are_asked_for_repeats_included(counted):
    wanted = [7, 0, 19, 7, 3]
    assert told_indices(read_frames(counted, wanted, None)) == wanted


def test_all_frames_come_when_none_is_named(counted):
    frames = read_frames(counted, None, None)
    assert frames.shape == (20, 32, 32, 3)
    assert frames.dtype == np.uint8
    assert told_indices(frames) == list(range(20))


def test_frames_are_counted_without_being_decoded(counted):
    assert count_frames(counted) == 20


def test_frames_are_resized_to_a_square(counted):
    assert read_frames(counted, [1, 2], 24).shape == (2, 24, 24, 3)
    assert told_indices(read_frames(counted, None, 24)) == list(range(20))


def test_a_frame_beyond_the_end_is_an_error_that_names_the_clip(counted):
    with pytest.raises(HarnessError, match=f"{re.escape(str(counted))}.*frame 20"):
        read_frames(counted, [0, 20], None)


@pytest.mark.parametrize("indices", [[], [-1]])
def test_frames_that_cannot_be_are_refused(counted, indices):
    with pytest.raises(HarnessError, match="counted from 0"):
        read_frames(counted, indices, None)


@pytest.mark.parametrize(("ending", "codec"), CONTAINERS)
def test_decoded_pixels_are_the_encoded_ones_up_to_coding_loss(tmp_path, ending, codec):
    frames = textured_frames(6)
    read = read_frames(write_video(tmp_path / f"clip.{ending}", frames, codec), None, None)
    assert np.abs(read.astype(int) - frames).mean() < 6


def test_colours_are_red_green_blue_in_this_order(tmp_path):
    red = np.zeros((4, 32, 32, 3), np.uint8)
    red[..., 0] = 220
    for clip in (write_video(tmp_path / "red.mp4", red), write_frames(tmp_path / "red", red)):
        mean = read_frames(clip, [0], None).mean(axis=(0, 1, 2))
        assert mean[0] > 200
        assert mean[1:].max() < 20


def test_videos_and_frame_folders_are_resized_alike(tmp_path):
    # Grey has no subsampled colour, so only the two libraries' triangle filters can differ.
    grey = np.repeat(textured_frames(3, size=96)[..., :1], 3, axis=-1)
    video = read_frames(write_video(tmp_path / "clip.mp4", grey), None, 40).astype(int)
    folder = read_frames(write_frames(tmp_path / "clip", grey), None, 40).astype(int)
    assert np.abs(video - folder).mean() < 1
    assert abs((video - folder).mean()) < 0.6


def test_a_clip_that_is_not_square_is_stretched_and_keeps_its_corners(tmp_path):
    wide = np.zeros((2, 32, 64, 3), np.uint8)
    wide[:, :, 32:] = 200
    for clip in (write_video(tmp_path / "wide.mp4", wide), write_frames(tmp_path / "wide", wide)):
        frame = read_frames(clip, [0], 32)[0].astype(int)
        assert frame.shape == (32, 32, 3)
        assert frame[:, :14].max() < 20
        assert frame[:, 18:].min() > 180


def test_frames_without_padding_are_read_in_natural_order(tmp_path):
    folder = write_frames(tmp_path / "00001", counting_frames(16), name="{}.png")
    assert told_indices(read_frames(folder, None, None)) == list(range(16))


def test_what_is_not_a_frame_is_passed_over(tmp_path):
    folder = write_frames(tmp_path / "clip", counting_frames(3))
    for name in ("Thumbs.db", ".DS_Store", "._1.png", "notes.txt"):
        (folder / name).write_bytes(b"not a frame")
    assert count_frames(folder) == 3
    assert told_indices(read_frames(folder, None, None)) == [0, 1, 2]


def test_grey_and_transparent_images_become_rgb(tmp_path):
    folder = tmp_path / "clip"
    folder.mkdir()
    Image.new("L", (8, 8), 100).save(folder / "1.png")
    Image.new("RGBA", (8, 8), (100, 100, 100, 50)).save(folder / "2.png")
    assert read_frames(folder, None, None).tolist() == np.full((2, 8, 8, 3), 100).tolist()


def test_frames_of_different_size_need_a_common_size(tmp_path):
    folder = write_frames(tmp_path / "clip", counting_frames(2, size=16))
    Image.new("RGB", (8, 8)).save(folder / "3.png")
    with pytest.raises(HarnessError, match="differ in size"):
        read_frames(folder, None, None)
    assert read_frames(folder, None, 12).shape == (3, 12, 12, 3)


@pytest.mark.parametrize(("ending", "codec"), CONTAINERS)
@pytest.mark.parametrize("kept", [0.6, 0.9])
def test_a_truncated_video_is_an_error_that_names_it(tmp_path, ending, codec, kept):
    clip = write_video(tmp_path / f"clip.{ending}", textured_frames(40), codec)
    content = clip.read_bytes()
    clip.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(HarnessError, match=re.escape(str(clip))):
        read_frames(clip, None, None)


@pytest.mark.parametrize(("ending", "codec"), [("avi", "mpeg4"), ("avi", "mjpeg"), ("flv", "flv")])
def test_a_video_damaged_in_the_middle_is_an_error_that_names_it(tmp_path, ending, codec):
    clip = write_video(tmp_path / f"clip.{ending}", textured_frames(40), codec)
    content = bytearray(clip.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 2000] = bytes(2000)
    clip.write_bytes(content)
    with pytest.raises(HarnessError, match=re.escape(str(clip))):
        read_frames(clip, None, None)


@pytest.mark.parametrize("read", [lambda clip: read_frames(clip, [0], 16), count_frames])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "Git LFS pointer"),
        (b"this is no video at all, only text " * 20, "not a video"),
    ],
)
def test_a_file_that_is_no_video_says_what_it_is(tmp_path, read, content, reason):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(content)
    with pytest.raises(HarnessError, match=f"{re.escape(str(clip))}.*{reason}"):
        read(clip)


@pytest.mark.parametrize(
    ("content", "reason"), [(b"", "empty"), (b"\xff\xd8\xff\xe0 not quite", "not an image|decoded")]
)
def test_a_frame_that_is_no_image_is_named(tmp_path, content, reason):
    folder = write_frames(tmp_path / "clip", counting_frames(3))
    (folder / "2.png").write_bytes(content)
    with pytest.raises(HarnessError, match=f"{re.escape(str(folder / '2.png'))}.*({reason})"):
        read_frames(folder, None, None)


@pytest.mark.parametrize(
    ("ending", "codec", "share"), [("mp4", "libx264", 0.6), ("avi", "mpeg4", 0.8), ("avi", "mjpeg", 0.5)]
)
def test_damage_inside_a_frame_is_seen_as_far_as_the_decoder_sees_it(tmp_path, ending, codec, share):
    """Sixteen random bytes in a frame; what decodes to a legal picture no reader can tell from a good one."""
    noise = np.random.default_rng(0).normal(0, 6, (16, 96, 96, 3))
    path = write_video(
        tmp_path / f"clip.{ending}", (textured_frames(16, size=96) + noise).clip(0, 255).astype(np.uint8), codec
    )
    good, seen = path.read_bytes(), 0
    data = good.find(b"mdat" if ending == "mp4" else b"movi")
    for trial in range(20):
        generator = np.random.default_rng(trial)
        start = int(generator.integers(data + 900, data + int(0.8 * (len(good) - data))))
        path.write_bytes(good[:start] + generator.bytes(16) + good[start + 16 :])
        try:
            read_frames(path, None, 32)
        except HarnessError as error:
            seen += str(path) in str(error)
    assert seen >= share * 20
    path.write_bytes(good)
    assert len(read_frames(path, None, 32)) == 16
    assert av.logging.get_level() is None


def test_a_truncated_frame_is_named(tmp_path):
    folder = write_frames(tmp_path / "clip", textured_frames(3), name="{}.jpg")
    content = (folder / "2.jpg").read_bytes()
    (folder / "2.jpg").write_bytes(content[: len(content) // 2])
    with pytest.raises(HarnessError, match=re.escape(str(folder / "2.jpg"))):
        read_frames(folder, None, None)


@pytest.mark.parametrize("read", [lambda clip: read_frames(clip, [0], 16), count_frames])
def test_a_missing_clip_and_an_empty_folder_are_named(tmp_path, read):
    with pytest.raises(HarnessError, match="there is no such clip"):
        read(tmp_path / "gone.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(HarnessError, match="holds no frame"):
        read(tmp_path / "empty")


def test_real_clips_decode_to_the_number_of_frames_counted(shared_data):
    for clip in sorted((shared_data / "face_clips").glob("*.mov")):
        assert len(read_frames(clip, None, 32)) == count_frames(clip) > 100


def turned(clip: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Rewrite an mp4's display matrix a b c d: pixel (x, y) is shown at (a x + c y, b x + d y) (ISO 14496-12, tkhd)."""
    content = bytearray(clip.read_bytes())
    a, b, c, d = (value << 16 for value in matrix)
    at = content.index(b"tkhd") + 4 + 40
    content[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    clip.write_bytes(content)
    return clip


@pytest.mark.parametrize(
    ("matrix", "bright"),
    [((1, 0, 0, 1), "top"), ((0, 1, -1, 0), "right"), ((-1, 0, 0, -1), "bottom"), ((0, -1, 1, 0), "left")],
)
@pytest.mark.parametrize("size", [None, 32])
def test_a_clip_from_a_turned_camera_is_shown_upright(tmp_path, matrix, bright, size):
    frames = np.zeros((2, 32, 64, 3), np.uint8)
    frames[:, :16] = 200
    frame = read_frames(turned(write_video(tmp_path / "turned.mp4", frames), matrix), [0], size)[0].astype(int)
    height, width = frame.shape[0] // 2, frame.shape[1] // 2
    means = {"top": frame[:height], "bottom": frame[height:], "left": frame[:, :width], "right": frame[:, width:]}
    assert max(means, key=lambda side: means[side].mean()) == bright
    if size is None:
        assert (frame.shape[0] > frame.shape[1]) == (bright in {"left", "right"})
