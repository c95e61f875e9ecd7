// The start page: polls /v1/stats, and lets a person with a key try each loop. Everything shown is set as text, never as markup.
const $ = (id) => document.getElementById(id);
const base = location.origin;
const rates = [];
let stats = null, failure = null;
const key = () => sessionStorage.getItem("key") || "";

const EXAMPLES = {
  zh: { sentence: "客户连续滑动5屏未下单，且在竞品门店500米内，就发专属优惠", ticket: "我的咖啡机又坏了，这已经是第三次，再修不好我就不续约了！", customer: "customer/c1" },
  en: { sentence: "when a customer's marketing email is unopened 3 times in a row, send an exclusive offer", ticket: "My coffee machine broke again, for the third time. If it can't be fixed I won't renew!", customer: "customer/c1" },
};
const example = (name) => (stats && stats.examples && stats.examples[name] && (stats.examples[name][lang] || stats.examples[name])) || EXAMPLES[lang][name];
const suggested = () => (stats && stats.examples && stats.examples.inputs) || [{ type: "app.login", subject: "customer/c1", data: {} }];
const inputs = () => `[\n${suggested().map((found) => `  ${JSON.stringify(found)}`).join(",\n")}\n]`;
// Inputs of now, one millisecond apart, unless the person wrote times and ids themselves.
function stamped(text) {
  const given = JSON.parse(text), now = Date.now();
  return JSON.stringify((Array.isArray(given) ? given : [given]).map((found, n) => {
    const moment = new Date(now + n).toISOString();
    return found.property || found.relation ? { from: moment, ...found } : { id: `page-${now}-${n}`, source: "page", time: moment, ...found };
  }));
}

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
const curl = (path, body) => `curl -s ${base}${path} \\\n  -H "Authorization: Bearer $(cat var/admin.key)" \\\n  -H "Accept-Language: ${lang}" -H "Content-Type: application/json" \\\n  -d ${quote(body)}`;
const COMMANDS = {
  draft: () => `zhongshu strategy draft ${quote(example("sentence"))}`,
  event: () => curl("/v1/events", JSON.stringify({ id: "ID", time: "TIME", ...suggested()[suggested().length - 1] })).replace('"ID"', `"'$(date +%s%N)'"`).replace('"TIME"', `"'$(date -u +%FT%T.%NZ)'"`),
  ticket: () => curl("/v1/tickets", JSON.stringify({ subject: example("customer"), text: example("ticket") })),
};
const MORE = [["m_demo", "zhongshu demo"], ["m_sim", () => `zhongshu simulate --catalog examples/catalog.yaml \\\n  --events examples/events.ndjson --say ${quote(lang === "zh" ? "客户连续3次没打开营销邮件就安排外呼" : "when a customer's marketing email is unopened 3 times in a row, schedule an outbound call")}`],
  ["m_chat", "zhongshu chat"], ["m_why", "zhongshu why-not rival-nearby customer/c0005"], ["m_eval", "zhongshu eval run"], ["m_doctor", "zhongshu doctor"]];

async function call(path, options = {}) {
  const headers = { "Accept-Language": lang, ...(options.body ? { "Content-Type": "application/json" } : {}), ...(key() ? { Authorization: `Bearer ${key()}` } : {}) };
  const response = await fetch(path, { ...options, headers });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(body.detail || response.statusText), { body, status: response.status });
  return body;
}

function showCommand(node, text) {
  const button = make("button", { type: "button", className: "quiet", textContent: t("copy") });
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = t("copied");
    setTimeout(() => { button.textContent = t("copy"); }, 1500);
  });
  node.replaceChildren(make("pre", {}, make("code", { textContent: text })), button);
}

function drawWords() {
  const examples = { sentence: example("sentence"), ticket: example("ticket"), "ticket-customer": example("customer"), event: inputs() };
  for (const [id, text] of Object.entries(examples)) if (!$(id).dataset.touched) $(id).value = text;
  document.querySelectorAll("[data-command]").forEach((node) => showCommand(node, COMMANDS[node.dataset.command]()));
  $("more").replaceChildren(...MORE.map(([name, command]) => {
    const box = make("div", { className: "command" });
    showCommand(box, typeof command === "string" ? command : command());
    return make("div", { className: "card" }, make("h3", { textContent: t(name) }), make("p", { textContent: t(`${name}_t`) }), box);
  }));
}

const number = (value) => (value === undefined || value === null ? "–" : value.toLocaleString(lang === "zh" ? "zh-CN" : "en", { maximumFractionDigits: 1 }));
const total = (counts) => Object.values(counts || {}).reduce((a, b) => a + b, 0);

function drawStats() {
  const dot = $("dot"), said = $("state-text");
  if (!stats) {
    dot.className = "dot failed";
    said.textContent = failure && (failure.status === 401 || failure.status === 403) ? t("closed") : t("unreachable");
    return;
  }
  const waiting = stats.rooms.filter((r) => r.state === "warming"), broken = stats.rooms.filter((r) => r.state === "failed");
  dot.className = `dot ${broken.length ? "failed" : waiting.length ? "" : "ready"}`;
  const names = (rooms) => rooms.map((r) => r.label[lang]).join(lang === "zh" ? "、" : ", ");
  said.textContent = broken.length ? t("broken") + names(broken) : waiting.length ? t("warming") + names(waiting) : t("allready");
  const values = { customers: stats.customers, live: stats.strategies.running, rate: stats.events.per_second, events: stats.events.recorded, firings: stats.firings,
    decisions: total(stats.decisions), delivered: stats.outbox.sent, outbox: stats.outbox.waiting, tickets: stats.tickets, approvals: stats.approvals };
  $("numbers").replaceChildren(...Object.entries(values).map(([name, value]) => make("div", {}, make("dt", { textContent: t(`n_${name}`) }), make("dd", { textContent: number(value) }))));
  $("rooms").replaceChildren(...stats.rooms.map((room) => make("li", { title: room.detail ? room.detail[lang] : "" }, make("span", { className: `dot ${room.state === "warming" ? "" : room.state}` }), room.label[lang])));
  $("live-card").hidden = !stats.strategies.list.length;
  $("live").replaceChildren(...stats.strategies.list.map((s) => make("tr", {}, make("td", { textContent: s.name }), make("td", { textContent: s.label[lang] }), make("td", { className: "num", textContent: `${s.percent}%` }), make("td", { className: "num", textContent: number(s.firings) }))));
  const parts = [`Zhongshu ${stats.version}`, `${t("since")} ${new Date(stats.started).toLocaleString(lang === "zh" ? "zh-CN" : "en")}`, `${t("model")}: ${stats.model || t("playbook")}`];
  if (stats.demo) parts.push(t("demoworld"));
  $("foot").textContent = parts.join(" · ");
  drawSpark();
}

function drawSpark() {
  const svg = $("spark"), top = Math.max(1, ...rates), step = 600 / 59;
  const points = rates.map((v, i) => [600 - (rates.length - 1 - i) * step, 114 - (v / top) * 104]);
  if (points.length < 2) return;
  const line = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" L");
  const path = (name, d) => { const node = document.createElementNS("http://www.w3.org/2000/svg", "path"); node.setAttribute("class", name); node.setAttribute("d", d); return node; };
  svg.replaceChildren(path("area", `M${points[0][0]},120 L${line} L600,120 Z`), path("line", `M${line}`));
  svg.setAttribute("aria-label", `${t("rate")}: ${number(rates[rates.length - 1])}`);
}

async function poll() {
  try {
    const first = !stats;
    stats = await call("/v1/stats");
    rates.push(stats.events.per_second);
    if (rates.length > 60) rates.shift();
    if (first) drawWords();
  } catch (error) { failure = error; stats = null; }
  drawStats();
  setTimeout(poll, document.hidden ? 10000 : 2000);
}

function details(body) {
  return make("details", {}, make("summary", { textContent: t("raw") }), make("pre", { textContent: JSON.stringify(body, null, 2) }));
}
function show(box, nodes, bad = false) { box.hidden = false; box.classList.toggle("bad", bad); box.replaceChildren(...nodes); }
function list(items) { return make("ul", {}, ...items.map((text) => make("li", { textContent: text }))); }

const RENDER = {
  strategy: (body) => [make("h4", { textContent: `${body.name} · v${body.version}` }), make("p", { textContent: body.readback }),
    ...(body.warnings.length ? [make("h4", { textContent: t("warnings") }), list(body.warnings)] : []), details(body)],
  event: (body) => [make("p", { textContent: `${t("taken")} ${body.accepted} · ${t("late")} ${body.late} · ${t("rejected")} ${body.rejected.length}` }), list(body.rejected.map((bad) => bad.error.message)), details(body)],
  ticket: (body) => [make("h4", { textContent: [body.route, body.status].filter(Boolean).join(" · ") }), make("p", { textContent: body.reply || "" }), ...(body.reasons && body.reasons.length ? [list(body.reasons)] : []), details(body)],
};
const REQUEST = {
  strategy: () => ["/v1/strategies", { sentence: $("sentence").value }],
  event: () => ["/v1/events", stamped($("event").value)],
  ticket: () => ["/v1/tickets", { subject: $("ticket-customer").value, text: $("ticket").value }],
};

async function submit(form, ask) {
  const box = form.parentElement.querySelector(".answer"), button = form.querySelector("button");
  if (!key()) { show(box, [make("p", { textContent: t("keyfirst") })], true); $("key").focus(); return; }
  button.disabled = true;
  try {
    const [path, body] = ask();
    show(box, RENDER[form.dataset.post](await call(path, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) })));
  } catch (error) {
    const body = error.body || {}, nodes = [make("p", { textContent: body.detail || error.message })];
    if (body.choices) nodes.push(make("div", { className: "choices" }, ...body.choices.map((choice) => {
      const pick = make("button", { type: "button", className: "quiet", textContent: choice });
      pick.addEventListener("click", () => { $("sentence").value = choice; $("sentence").dataset.touched = "1"; form.requestSubmit(); });
      return pick;
    })));
    show(box, nodes, true);
  }
  button.disabled = false;
  if (form.dataset.post === "event") setTimeout(showDecisions, 2500);
}

// Runs after events were sent, too: firings become final about a second after their event.
async function showDecisions() {
  const box = document.querySelector(".decisions .answer");
  if (!key()) { show(box, [make("p", { textContent: t("keyfirst") })], true); return; }
  try {
    const { items } = await call("/v1/decisions?limit=8");
    if (!items.length) { show(box, [make("p", { textContent: t("none") })]); return; }
    show(box, items.map((item) => {
      const why = make("button", { type: "button", className: "quiet", textContent: t("why") }), line = make("div");
      why.addEventListener("click", async () => {
        const answer = await call(`/v1/decisions/${encodeURIComponent(item.id)}/why`);
        line.replaceChildren(make("p", { textContent: answer.headline }), ...answer.layers.flatMap((l) => [make("h4", { textContent: l.title }), list(l.lines)]));
      });
      return make("div", {}, make("p", {}, `${new Date(item.at).toLocaleString()} · ${item.strategy} · ${item.subject} · ${item.actions.map((a) => a.label).join(" + ")} · ${item.verdict} `, why), line);
    }));
  } catch (error) { show(box, [make("p", { textContent: error.message })], true); }
}

setUpTop(() => { drawWords(); drawStats(); });
drawWords();
document.querySelectorAll("textarea, #ticket-customer").forEach((node) => node.addEventListener("input", () => { node.dataset.touched = "1"; }));
document.querySelectorAll("form[data-post]").forEach((form) => form.addEventListener("submit", (e) => { e.preventDefault(); submit(form, REQUEST[form.dataset.post]); }));
$("load-decisions").addEventListener("click", showDecisions);
$("key").value = key();
$("key-form").addEventListener("submit", async (e) => {
  e.preventDefault();
  sessionStorage.setItem("key", $("key").value.trim());
  try { await call("/v1/me"); $("key-said").textContent = t("keyok"); } catch (error) { $("key-said").textContent = error.message; }
});
poll();
