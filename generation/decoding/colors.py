"""Turns a decoded picture of any kind into plain sRGB, on white where it was transparent."""

import io

import numpy as np
from PIL import Image, ImageCms

_SRGB = ImageCms.createProfile("sRGB")
_DEEP = ("I", "I;16", "I;16L", "I;16B", "F")


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A new RGB picture with no metadata; `profile` is the ICC profile that the file came with."""
    if image.mode in _DEEP:  # 16 bits of gray, whatever the container
        image = Image.fromarray(
            (np.clip(np.asarray(image), 0, 65535).astype(np.uint16) >> 8).astype(np.uint8)
        )
    mask = None
    if image.has_transparency_data:
        image = image.convert("RGBA")
        mask = image.getchannel("A")
        image = image.convert("RGB")
    elif image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("RGB")
    colors = (_converted(image, profile) or image).convert("RGB")
    plain = Image.new("RGB", image.size, "white")
    plain.paste(colors, mask=mask)
    return plain


def _converted(image: Image.Image, profile: bytes | None) -> Image.Image | None:
    """None where the profile says nothing usable: then the numbers stand for themselves."""
    if not profile:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
