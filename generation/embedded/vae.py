"""Makes the autoencoder: patch PCA of the scenes, level by level, written into the convolutions of a stock LTX VAE."""

import torch
from diffusers import AutoencoderKLLTXVideo

WIDTH = 56  # channels of every block
RANK = 54  # principal components kept at each level, and latent channels
LEVELS = 3  # each halves time, height and width; with patches of 4 that is 32 pixels and 8 frames a token
RESNETS = 2  # in the decoder, behind the first upsampling: the only part that is trained by descent
# One constant channel, so large that RMSNorm divides by a constant and SiLU sees only its linear part x/2.
CONSTANT = 2.0**20
LINEAR = CONSTANT / WIDTH**0.5 * 2


def empty():
    """A stock AutoencoderKLLTXVideo of our size, its weights all zero but the identities that PCA needs around it."""
    vae = AutoencoderKLLTXVideo(
        latent_channels=RANK,
        block_out_channels=(WIDTH,) * LEVELS,
        down_block_types=("LTXVideoDownBlock3D",) * LEVELS,
        decoder_block_out_channels=(WIDTH,) * LEVELS,
        layers_per_block=(0,) * (LEVELS + 1),
        decoder_layers_per_block=(0, 0, RESNETS, 0),
        spatio_temporal_scaling=(True,) * LEVELS,
        decoder_spatio_temporal_scaling=(True,) * LEVELS,
        decoder_inject_noise=(False,) * (LEVELS + 1),
        downsample_type=("conv",) * LEVELS,
        upsample_residual=(False,) * LEVELS,
        upsample_factor=(1,) * LEVELS,
    )
    trained = vae.decoder.up_blocks[0].resnets
    with torch.no_grad():
        for name, value in vae.named_parameters():
            if ".resnets." not in name:
                value.zero_()
        for resnet in trained:
            resnet.conv2.conv.weight.zero_()
            resnet.conv2.conv.bias.zero_()
        encoder, decoder = vae.encoder, vae.decoder
        patch = encoder.in_channels
        # The convolution is causal: its last tap in time is now.
        encoder.conv_in.conv.weight[:patch, :, 2, 1, 1] = torch.eye(patch)
        encoder.conv_in.conv.bias[-1] = CONSTANT
        for block in encoder.down_blocks:
            block.downsamplers[0].conv.bias[-1] = CONSTANT
        encoder.conv_out.conv.weight[:RANK, :RANK, 2, 1, 1] = torch.eye(RANK) * LINEAR
        encoder.conv_out.conv.bias[-1] = -30.0  # log variance: none
        decoder.conv_in.conv.weight[:RANK, :, 1, 1, 1] = torch.eye(RANK)
        decoder.up_blocks[-1].upsamplers[0].conv.conv.bias[-8:] = CONSTANT
        decoder.conv_out.conv.weight[:, :patch, 1, 1, 1] = torch.eye(patch) * LINEAR
    return vae.eval().requires_grad_(False)


def to_tensor(clips):
    """uint8 (n, 25, 128, 128, 3) to float (n, 3, 25, 128, 128) in -1..1."""
    return torch.as_tensor(clips).permute(0, 4, 1, 2, 3).float() / 127.5 - 1


@torch.no_grad()
def fit_encoder(vae, clips, batch=10):
    """Writes the PCA of `clips` (uint8 array) into the encoder, and its plain inverse into the decoder."""
    for level in range(LEVELS):
        total, outer, count = 0.0, 0.0, 0
        for start in range(0, len(clips), batch):
            rows = (
                group(coefficients(vae, to_tensor(clips[start : start + batch]), level))
                .movedim(1, -1)
                .flatten(0, 3)
            )
            outer, total, count = outer + rows.T @ rows, total + rows.sum(0), count + len(rows)
        mean = (total / count).double()
        _, vectors = torch.linalg.eigh((outer / count).double() - torch.outer(mean, mean))
        basis = vectors[:, -RANK:].flip(1).T  # (rank, 8 * channels)
        channels = basis.shape[1] // 8
        down = vae.encoder.down_blocks[level].downsamplers[0].conv
        down.weight[:RANK, :channels, 1:, 1:, 1:] = basis.float().unflatten(1, (channels, 2, 2, 2))
        down.bias[:RANK] = -(basis @ mean).float()
        up = vae.decoder.up_blocks[LEVELS - 1 - level].upsamplers[0].conv.conv
        up.weight[: 8 * channels, :RANK, 1, 1, 1] = basis.T.float()
        up.bias[: 8 * channels] = mean.float()


def coefficients(vae, video, level):
    """The encoder's first levels, (n, 48 or RANK, frames, height, width), without multiplying by its zeros."""
    p = vae.encoder.patch_size
    n, c, t, h, w = video.shape
    x = video.reshape(n, c, t, h // p, p, w // p, p).permute(0, 1, 6, 4, 2, 3, 5).flatten(1, 3)
    for block in vae.encoder.down_blocks[:level]:
        down, channels = block.downsamplers[0].conv, x.shape[1]
        basis = down.weight[:RANK, :channels, 1:, 1:, 1:].flatten(1)
        x = torch.einsum("nithw,oi->nothw", group(x), basis) + down.bias[:RANK].view(1, -1, 1, 1, 1)
    return x


def group(x):
    """Gathers 2x2x2 neighbors into channels (n, 8c, t, h, w), the first frame doubled as the causal encoder does."""
    x = torch.cat([x[:, :, :1], x], 2)
    n, c, t, h, w = x.shape
    return x.reshape(n, c, t // 2, 2, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 7, 2, 4, 6).flatten(1, 4)
