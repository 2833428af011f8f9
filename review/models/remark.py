"""What a reviewer says of one frame, or of a range of frames, with a drawing if they like: a part of their decision.

Remarks are made together with their decision, or not at all: until then they are words in the reviewer's form.
"""

from django.db import models
from django.db.models import F, Q

from .. import drawing as drawings
from .decision import Decision

MOST = 20  # of one decision
LONGEST = 500  # characters


class Remark(models.Model):
    decision = models.ForeignKey(Decision, models.PROTECT, related_name="remarks")
    number = (
        models.PositiveSmallIntegerField()
    )  # from 1, up to its decision's `remark_count`: a trigger checks it
    first_frame = models.PositiveIntegerField()  # from 1, as the player counts
    last_frame = models.PositiveIntegerField()
    text = models.CharField(max_length=LONGEST)
    drawing = models.CharField(max_length=drawings.LONGEST, blank=True)  # as review.drawing writes it
    erased_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "number"], name="remark_numbers_count_up"),
            models.CheckConstraint(condition=Q(number__range=(1, MOST)), name="remark_is_one_of_few"),
            models.CheckConstraint(
                condition=Q(first_frame__gte=1, last_frame__gte=F("first_frame")),
                name="remark_frames_in_order",
            ),
            models.CheckConstraint(
                condition=~Q(text="") | Q(erased_at__isnull=False), name="remark_says_something"
            ),
        ]

    def __str__(self):
        return f"Remark {self.number} of decision {self.decision_id}"

    @property
    def drawn(self) -> drawings.Drawing | None:
        """Read as strictly as it was written: what isn't a drawing of ours is none."""
        try:
            return drawings.read(self.drawing)
        except drawings.NotADrawing:
            return None
