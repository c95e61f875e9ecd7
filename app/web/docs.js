// A plain reader of /openapi.json: one fold an operation, with its examples. No third-party viewer, no network.
const first = (examples) => { const values = Object.values(examples || {}); return values.length ? values[0].value : undefined; };
function exampleOf(content) {
  for (const [type, media] of Object.entries(content || {})) {
    const value = media.example !== undefined ? media.example : first(media.examples);
    if (value !== undefined) return [type, typeof value === "string" ? value : JSON.stringify(value, null, 2)];
  }
  return null;
}
function operation(path, verb, op) {
  const box = make("details", { className: "op", id: op.operationId || "" });
  box.append(make("summary", {}, make("span", { className: "verb", textContent: verb.toUpperCase() }), make("code", { textContent: path }), make("span", { textContent: op.summary || "" })));
  if (op.description) box.append(make("p", { textContent: op.description }));
  const query = (op.parameters || []).filter((p) => p.in !== "header");
  if (query.length) box.append(make("ul", {}, ...query.map((p) => make("li", {}, make("code", { textContent: p.name }), ` (${p.in}) ${p.description || ""}`))));
  const request = exampleOf(op.requestBody && op.requestBody.content);
  if (request) box.append(make("p", { textContent: `${t("needs")} · ${request[0]}` }), make("pre", { textContent: request[1] }));
  for (const [status, response] of Object.entries(op.responses || {})) {
    const answer = status.startsWith("2") && exampleOf(response.content);
    if (answer) box.append(make("p", { textContent: `${t("answers")} · ${status}` }), make("pre", { textContent: answer[1] }));
  }
  return box;
}
async function draw() {
  const api = await (await fetch("/openapi.json")).json(), groups = {};
  for (const [path, verbs] of Object.entries(api.paths)) for (const [verb, op] of Object.entries(verbs)) (groups[(op.tags || ["other"])[0]] ||= []).push(operation(path, verb, op));
  document.getElementById("operations").replaceChildren(...Object.entries(groups).map(([tag, ops]) => make("section", { className: "card" }, make("h2", { textContent: tag }), ...ops)));
}
setUpTop(draw);
draw();
