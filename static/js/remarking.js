// Remarks while they are written: rows of the decision's form, pinned to the frame or the loop that is seen, with a box or
// a line drawn on the picture. Nothing is sent before the decision; the rows outlast a reload as the note does.
(() => {
  const section = document.querySelector("[data-remarking]");
  const form = document.getElementById("decision-form");
  if (!section || !form) return;

  const { WHOLE, player, overlay, sources, paint, show } = window.remarks;
  const MOST = Number(section.dataset.most);
  const MOST_POINTS = 120;
  const STEP = 200; // ten-thousandths that an arrow key moves a box
  const KEY = `remarks ${form.dataset.draft}`;

  const list = section.querySelector("[data-remark-rows]");
  const blank = section.querySelector("[data-remark-blank]");
  const total = section.querySelector("[name$=-TOTAL_FORMS]");
  const status = document.querySelector("[data-remark-status]");
  const rows = () => [...list.querySelectorAll("[data-remark-row]")];
  const field = (row, name) => row.querySelector(`[name$="-${name}"]`);
  const frames = (row) => {
    const first = Number(field(row, "first_frame").value);
    return [first, Number(field(row, "last_frame").value) || first];
  };
  const isBlank = (row) => !field(row, "first_frame").value && !field(row, "text").value && !field(row, "drawing").value;

  // --- Rows

  const number = () => {
    rows().forEach((row, index) => {
      for (const element of row.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
        for (const name of ["name", "id", "for", "aria-describedby"]) {
          const value = element.getAttribute(name);
          if (value) element.setAttribute(name, value.replace(/remarks-(\d+|__prefix__)-/g, `remarks-${index}-`));
        }
      }
    });
    total.value = rows().length;
    section.querySelector("[data-remark-count]").textContent = rows().length || "";
    for (const button of section.querySelectorAll("[data-remark-add]")) button.disabled = rows().length >= MOST;
    remember();
    paint();
  };

  const append = () => {
    list.append(blank.content.cloneNode(true));
    const row = list.lastElementChild;
    number();
    return row;
  };

  const add = (kind) => {
    if (rows().length >= MOST) return;
    section.open = true;
    const found = player();
    const [first, last] = found?.range() ?? [found?.current() ?? 0, found?.current() ?? 0];
    found?.acts.stop();
    const row = append();
    field(row, "first_frame").value = first + 1;
    if (last > first) field(row, "last_frame").value = last + 1;
    number();
    if (kind && found) draw(row, kind);
    else field(row, "text").focus();
  };

  const remove = (row) => {
    if (drawing?.row === row) drop();
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    number();
    (next ? field(next, "text") : section.querySelector("summary")).focus();
  };

  // --- Drawing

  let drawing = null; // { row, kind, points, before }
  const written = ({ kind, points }) => [kind, ...points.flat()].join(" ");
  const clamp = (value) => Math.min(Math.max(Math.round(value), 0), WHOLE);

  const put = () => {
    field(drawing.row, "drawing").value = drawing.points.length > 1 ? written(drawing) : "";
    paint();
  };

  const draw = (row, kind) => {
    if (drawing) drop();
    const found = player();
    if (!found) return;
    show(...frames(row));
    drawing = { row, kind, points: kind === "box" ? [[3000, 3000], [7000, 7000]] : [], before: field(row, "drawing").value };
    row.querySelector(`[data-remark-draw=${kind}]`).setAttribute("aria-pressed", "true");
    found.stage.toggleAttribute("data-drawing", true);
    found.stage.tabIndex = -1;
    found.stage.focus({ preventScroll: true });
    status.textContent = status.dataset[kind];
    put();
  };

  const end = (words) => {
    const { row } = drawing;
    for (const button of row.querySelectorAll("[data-remark-draw]")) button.setAttribute("aria-pressed", "false");
    const { stage } = player();
    stage.toggleAttribute("data-drawing", false);
    stage.removeAttribute("tabindex");
    drawing = null;
    status.textContent = words;
    remember();
    paint();
    field(row, "text").focus();
  };
  const keep = () => {
    const [[left, top], [right, bottom]] = drawing.points.length > 1 ? [drawing.points[0], drawing.points.at(-1)] : [[0, 0], [0, 0]];
    if (drawing.points.length < 2 || (drawing.kind === "box" && (left === right || top === bottom))) return drop();
    end(status.dataset.kept);
  };
  const drop = () => {
    field(drawing.row, "drawing").value = drawing.before;
    end(status.dataset.dropped);
  };

  // Where in the picture: the overlay knows its own zoom and the black beside it.
  const place = (event) => {
    const canvas = overlay();
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(canvas.getScreenCTM().inverse());
    const { width, height } = canvas.viewBox.baseVal;
    return [clamp((WHOLE * x) / width), clamp((WHOLE * y) / height)];
  };

  // Fewer points without another look: every second one, until there are few enough.
  const thin = (points) => (points.length <= MOST_POINTS ? points : thin(points.filter((_, index) => index % 2 === 0 || index === points.length - 1)));

  let pen = null; // all points of the line under the pointer
  document.addEventListener("pointerdown", (event) => {
    if (!drawing || !event.target.closest("[data-stage]") || event.button) return;
    event.preventDefault();
    pen = [place(event)];
    overlay().setPointerCapture?.(event.pointerId);
  }, { capture: true });
  document.addEventListener("pointermove", (event) => {
    if (!drawing || !pen) return;
    const point = place(event);
    if (drawing.kind === "box") drawing.points = [pen[0], point];
    else {
      const [x, y] = pen.at(-1);
      if (Math.hypot(point[0] - x, point[1] - y) < 20) return;
      pen.push(point);
      drawing.points = thin(pen);
    }
    put();
  });
  let liftedAt = 0;
  const lift = () => {
    if (!drawing || !pen) return;
    pen = null;
    liftedAt = Date.now();
    keep();
  };
  document.addEventListener("pointerup", lift);
  document.addEventListener("pointercancel", lift);
  document.addEventListener("click", (event) => {
    if (!event.target.closest?.("[data-stage]") || !(drawing || Date.now() - liftedAt < 300)) return;
    event.preventDefault(); // a stroke is no click on the film
    event.stopPropagation();
  }, { capture: true });

  const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
  addEventListener("keydown", (event) => {
    if (!drawing) return;
    const by = ARROWS[event.key];
    if (event.key === "Escape") drop();
    else if (event.key === "Enter") keep();
    else if (by && drawing.kind === "box" && drawing.points.length === 2) {
      const [one, other] = drawing.points;
      const moved = ([x, y]) => [clamp(x + by[0]), clamp(y + by[1])];
      drawing.points = event.shiftKey ? [one, moved(other)] : [moved(one), moved(other)];
      put();
    } else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { capture: true });

  // --- What the buttons and keys do

  section.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    const row = button?.closest("[data-remark-row]");
    if (!button) return;
    if ("remarkAdd" in button.dataset) add(button.dataset.remarkAdd);
    else if ("remarkShow" in button.dataset) show(...frames(row));
    else if ("remarkRemove" in button.dataset) remove(row);
    else if ("remarkDraw" in button.dataset) draw(row, button.dataset.remarkDraw);
  });
  window.remarking = { add };

  sources.push(() => rows().map((row) => {
    const [first, last] = frames(row);
    return { first, last, drawing: field(row, "drawing").value };
  }));

  // --- A draft for as long as the tab lives, beside that of the note

  const NAMES = ["first_frame", "last_frame", "text", "drawing"];
  let isReady = false;
  const remember = () => {
    if (!isReady) return;
    try {
      sessionStorage.setItem(KEY, JSON.stringify(rows().map((row) => NAMES.map((name) => field(row, name).value))));
    } catch {
      // Storage may be forbidden or full: the rows are then as lasting as the page.
    }
  };
  const recall = () => {
    try {
      for (const values of JSON.parse(sessionStorage.getItem(KEY)) ?? []) {
        const row = append();
        NAMES.forEach((name, index) => {
          field(row, name).value = values[index];
        });
      }
      section.open ||= rows().length > 0;
    } catch {
      // Nothing there, or nothing that could be read.
    }
  };

  for (const row of rows()) if (isBlank(row)) row.remove(); // those for pages without this script
  if (!rows().length) recall();
  isReady = true;
  number();
  section.addEventListener("input", () => {
    remember();
    paint();
  });
})();
