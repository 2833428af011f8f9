// Passkeys: the browser's own dialog answers, its answer goes into the form's hidden field, and the form is sent.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-passkey]");
  if (!button || button.ariaBusy === "true") return;
  event.preventDefault();
  const { form } = button;
  const says = document.querySelector("[data-passkey-says]");
  button.ariaBusy = "true";
  if (says) says.hidden = true;
  try {
    const answer = await { make, use }[button.dataset.passkey](form);
    form.elements[button.dataset.field].value = JSON.stringify(answer);
    form.submit();
  } catch (problem) {
    button.ariaBusy = null;
    if (!says) throw problem;
    const reasons = { NotAllowedError: "cancelled", SecurityError: "address", InvalidStateError: "known" };
    says.textContent = says.dataset[reasons[problem.name] ?? "other"];
    says.hidden = false;
  }
});

async function make(form) {
  const { publicKey } = (await options(form)).creation_options;
  const alone = form.elements.passwordless?.checked ?? false;
  Object.assign(publicKey.authenticatorSelection, {
    residentKey: alone ? "required" : "discouraged",
    requireResidentKey: alone,
    ...(alone && { userVerification: "required" }),
  });
  return webauthnJSON.create({ publicKey });
}

async function use(form) {
  return webauthnJSON.get((await options(form)).request_options);
}

// In the page, where we know who is asked; fetched at the click, where anybody may come with a passkey.
async function options(form) {
  const here = document.getElementById("passkey-options");
  if (here) return JSON.parse(here.textContent);
  const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${answer.status} instead of what a passkey signs`);
  return answer.json();
}
