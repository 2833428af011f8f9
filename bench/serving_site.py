"""Settings of bench_serving: the product's own, with two more addresses."""

from sorahub.settings import *  # noqa: F403

ROOT_URLCONF = "bench.serving_urls"
