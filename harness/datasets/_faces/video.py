"""Writing frames as an h264 video."""

from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

from harness.datasets._faces.dynamics import FRAMES_PER_SECOND

ENCODING = {"preset": "veryfast", "threads": "1", "x264-params": "mbtree=0"}
"""Options of x264 under which equal frames give equal bytes.

In frames this small its macroblock tree reads memory that nobody has written, so that bytes differ from run to run.
"""


def write_video(path: Path, frames: UInt8[np.ndarray, "t r w"], crf: int) -> None:
    """Encode planar YUV 4:2:0 frames with x264; equal frames give equal bytes.

    Args:
        path: the mp4 file to write.
        frames: luma above both chromas, as ``capture.expose`` gives them.
        crf: constant rate factor of x264, 0 (lossless) to 51.
    """
    width = frames.shape[2]
    options = {**ENCODING, "crf": str(crf)}
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=FRAMES_PER_SECOND, options=options)
        stream.width, stream.height, stream.pix_fmt = width, frames.shape[1] * 2 // 3, "yuv420p"
        for picture in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="yuv420p")))
        container.mux(stream.encode())
