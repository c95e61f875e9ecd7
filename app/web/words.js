// Every word of the page, in both languages, and the switch between them.
const WORDS = {
  skip: ["跳到内容", "Skip to content"], api: ["接口说明", "API"], navigation: ["页面选项", "Page options"], theme: ["切换明暗", "Switch light and dark"],
  headline: ["说一句话，它就上线；事情发生，它就应对。", "Say a sentence and it runs. Things happen and it responds."],
  lead: ["中枢把一句话变成策略，把事件变成有据可查的行动，把来信变成有证据的答复。下面是此刻正在运行的样子。",
    "Zhongshu turns a sentence into a strategy, events into actions with their reasons, and tickets into answers with evidence. This is what it is doing right now."],
  numbers: ["此刻", "Right now"], rate: ["每秒事件数（最近两分钟）", "Events per second, last two minutes"], rooms: ["各部分", "Parts"],
  live: ["运行中的策略", "Running strategies"], strategy: ["策略", "Strategy"], phase: ["状态", "State"], share: ["放量", "Share"], firings: ["触发", "Firings"],
  key: ["在此页试用", "Try it on this page"],
  keyhow: ["粘贴首次启动时终端里打印的密钥（也在 var/admin.key）。它只留在这个标签页里。", "Paste the key that the first start printed in the terminal (also in var/admin.key). It stays in this tab."],
  use: ["使用", "Use"], keyok: ["密钥可用。", "The key works."], keyfirst: ["请先在上面填入密钥。", "Enter the key above first."],
  loops: ["三个循环", "Three loops"],
  say: ["说出来", "Say it"], saytext: ["一句中文或英文变成策略，并读回给您确认。", "A sentence in Chinese or English becomes a strategy and is read back to you."],
  sentence: ["一句话", "A sentence"], draft: ["起草策略", "Draft it"],
  happens: ["它发生", "It happens"], happenstext: ["事件流入，命中的策略毫秒内做出决定；每个决定都能回答“为什么”。", "Events stream in; matching strategies decide within milliseconds, and each decision answers “why”."],
  event: ["事件与事实（时间和编号自动补上；此例：走近竞品门店，连滑五屏不下单）", "Events and facts (times and ids are filled in; here: near a rival, five screens swiped, no order)"], send: ["发送", "Send"], newest: ["最近的决定", "Newest decisions"], why: ["为什么？", "Why?"], none: ["还没有。", "None yet."],
  taken: ["收下", "taken"], late: ["迟到", "late"], rejected: ["拒绝", "rejected"],
  writes: ["有人来信", "Someone writes in"], writestext: ["工单被读懂、分派给专员智能体，查证后答复；需要批准的会等人。", "A ticket is read, routed to a specialist agent and answered with evidence; what needs approval waits for a person."],
  customer: ["客户", "Customer"], ticket: ["来信", "Message"], submit: ["提交", "Submit"],
  more: ["在终端里", "In the terminal"], copy: ["复制", "Copy"], copied: ["已复制", "Copied"], raw: ["完整答复", "Full answer"],
  warnings: ["提醒", "Warnings"], unreachable: ["服务没有应答", "The service does not answer"], allready: ["全部就绪", "All parts are ready"], warming: ["正在准备：", "Still warming up: "], broken: ["有部分不可用：", "Not available: "],
  closed: ["这一页只在本机显示实时数字。", "Live numbers are shown on this machine only; use a key."],
  n_customers: ["客户", "customers"], n_live: ["运行中的策略", "running strategies"], n_rate: ["事件/秒", "events/s"], n_events: ["收到的事件", "events taken"], n_firings: ["触发", "firings"],
  n_decisions: ["决定", "decisions"], n_delivered: ["已送达", "delivered"], n_outbox: ["待发送", "waiting to go out"], n_tickets: ["工单", "tickets"], n_approvals: ["待批准", "approvals waiting"],
  m_demo: ["两个故事，一分钟", "Two stories in a minute"], m_demo_t: ["一杯咖啡的优惠和一张工单，从头到尾。", "A coffee offer and a ticket, from start to outcome."],
  m_sim: ["先在历史上演练", "Rehearse on history"], m_sim_t: ["一句话对着录下的事件跑一遍，看谁会触发、为什么。", "Run a sentence over recorded events: who would fire, and why."],
  m_chat: ["聊天", "Chat"], m_chat_t: ["与主管智能体对话，也可以用聊天定义策略。", "Talk to the supervisor; define strategies by chat, too."],
  m_eval: ["评测", "Evaluate"], m_eval_t: ["在金标数据上检查分派和决定，低于门槛则失败。", "Check routing and decisions against gold data; fails below its threshold."],
  m_doctor: ["体检", "Doctor"], m_doctor_t: ["配好了什么，缺什么，怎样补上。", "What is configured, what is missing, what would fix it."],
  m_why: ["为什么没有？", "Why not?"], m_why_t: ["策略为什么没有对这位客户触发，一层一层说明。", "Why a strategy has not fired for a customer, layer by layer."],
  apilead: ["每个操作都需要 API 密钥（除健康检查）。错误一律是 problem+json，语言随 Accept-Language。", "Every operation needs an API key (but for health). Every error is problem+json, in the language of Accept-Language."],
  needs: ["请求示例", "Request example"], answers: ["答复示例", "Answer example"],
  verdict_deliver: ["送达", "deliver"], model: ["模型", "model"], playbook: ["内置剧本", "built-in playbook"], since: ["启动于", "started"], demoworld: ["演示数据", "demo world"],
};
let lang = localStorage.getItem("lang") || (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
const t = (key) => (WORDS[key] || [key, key])[lang === "zh" ? 0 : 1];
function applyWords() {
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  document.querySelectorAll("[data-t]").forEach((node) => { node.textContent = t(node.dataset.t); });
  document.querySelectorAll("[data-label]").forEach((node) => { node.setAttribute("aria-label", t(node.dataset.label)); });
  const button = document.getElementById("lang");
  button.textContent = lang === "zh" ? "English" : "中文";
  button.lang = lang === "zh" ? "en" : "zh";
}
function setUpTop(redraw) {
  const root = document.documentElement;
  root.dataset.theme = localStorage.getItem("theme") || "auto";
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme === "dark" || (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });
  document.getElementById("lang").addEventListener("click", () => {
    lang = lang === "zh" ? "en" : "zh";
    localStorage.setItem("lang", lang);
    applyWords();
    redraw();
  });
  applyWords();
}
const make = (tag, props = {}, ...children) => { const node = Object.assign(document.createElement(tag), props); node.append(...children); return node; };
