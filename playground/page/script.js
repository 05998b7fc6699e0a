"use strict";

// How long nothing may be typed before the question is asked.
const PAUSE = 120;
const ANONYMOUS = "anonymous";
// No caller has this name: names are not empty.
const TOKEN = "";

const at = (id) => document.getElementById(id);
const field = {};
for (const id of ["document", "resource", "request", "sender", "token", "checked", "keys", "callers", "sample"]) {
  field[id] = at(id);
}

// ---- The module: the filter's own code.

let compiled = null;
let exported = null;

async function load() {
  const text = at("module").textContent.trim();
  const packed = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  compiled = await WebAssembly.compile(await new Response(stream).arrayBuffer());
}

function ask(question) {
  exported ??= new WebAssembly.Instance(compiled, {}).exports;
  const bytes = new TextEncoder().encode(JSON.stringify(question));
  try {
    // Memory may grow in each call, so its buffer is asked for after it.
    const start = exported.room(bytes.length);
    new Uint8Array(exported.memory.buffer, start, bytes.length).set(bytes);
    const length = exported.run();
    const answer = new Uint8Array(exported.memory.buffer, exported.start(), length);
    return JSON.parse(new TextDecoder().decode(answer));
  } catch (error) {
    // A trap leaves the instance as it was in the middle of something.
    exported = null;
    throw error;
  }
}

// ---- Elements, with text alone: nothing of a document is ever markup.

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** A text of the filter: what it has in backquotes is set as code. */
function prose(text) {
  return text.split("`").map((part, index) => (index % 2 ? element("code", {}, part) : part));
}

const SIGNS = { passed: ["✓", "passed: "], failed: ["✗", "failed: "], skipped: ["·", ""] };

function marked(mark, ...children) {
  const [sign, word] = SIGNS[mark];
  const shown = element("span", { className: "sign" }, sign);
  shown.setAttribute("aria-hidden", "true");
  return element("li", { className: mark }, shown, element("span", { className: "unseen" }, word), ...children);
}

/** Changes a text that is read aloud only where it is another one. */
function say(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

function options(select, values, chosen) {
  const wanted = JSON.stringify(values);
  if (select.dataset.values !== wanted) {
    select.dataset.values = wanted;
    select.replaceChildren(...values.map(([value, text]) => element("option", { value }, text)));
  }
  select.value = values.some(([value]) => value === chosen) ? chosen : values[0]?.[0] ?? "";
}

// ---- The document.

function showLines() {
  const count = field.document.value.split("\n").length;
  say(at("lines"), Array.from({ length: count }, (_, index) => index + 1).join("\n"));
}

function showFindings(findings) {
  const text = field.document.value;
  const pieces = [];
  let end = 0;
  const inOrder = findings.toSorted((a, b) => a.start - b.start || a.severity.localeCompare(b.severity));
  for (const finding of inOrder) {
    const start = Math.max(finding.start, end);
    if (finding.end <= start) continue;
    pieces.push(text.slice(end, start), element("mark", { className: finding.severity }, text.slice(start, finding.end)));
    end = finding.end;
  }
  // A last line break is no line of its own in a `pre`.
  at("marks").replaceChildren(...pieces, text.slice(end) + "\n");
  const shown = findings.map((finding) => {
    const place = element("span", { className: "place" }, `${finding.line}:${finding.column}`);
    const button = element("button", { type: "button" }, place, `${finding.severity}: `, ...prose(finding.message));
    if (finding.help) button.append(element("span", { className: "help" }, ...prose(finding.help)));
    button.addEventListener("click", () => goTo(finding));
    return element("li", { className: finding.severity }, button);
  });
  at("findings").replaceChildren(...shown);
  const errors = findings.filter((finding) => finding.severity === "error").length;
  const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
  say(at("findings-summary"), `${count(errors, "error")}, ${count(findings.length - errors, "warning")}`);
  field.document.setAttribute("aria-invalid", String(errors > 0));
}

function goTo(finding) {
  field.document.focus();
  field.document.setSelectionRange(finding.start, finding.end);
  const height = parseFloat(getComputedStyle(field.document).lineHeight);
  field.document.scrollTop = Math.max(0, (finding.line - 5) * height);
}

function scrolled() {
  at("lines").scrollTop = at("marks").scrollTop = field.document.scrollTop;
  at("marks").scrollLeft = field.document.scrollLeft;
}

// ---- The decision.

function showReport(report, hasErrors) {
  const verdict = at("verdict");
  const lists = [at("steps"), at("remedies"), at("reply")];
  if (!report) {
    verdict.className = "none";
    say(verdict, hasErrors ? "The document has errors: nothing is decided" : "Nothing is decided");
    say(at("meaning"), "");
    for (const list of lists) list.replaceChildren();
    return;
  }
  const words = { allow: "Allowed", deny: "Denied", would_deny: "Allowed by a dry run, and would be denied" };
  const why = [report.status, report.reason].filter(Boolean).join(" ");
  verdict.className = report.decision;
  say(verdict, why ? `${words[report.decision]}: ${why}` : words[report.decision]);
  say(at("meaning"), report.meaning ?? "");
  lists[0].replaceChildren(...report.steps.map((step) => {
    const item = marked(step.mark, element("b", {}, step.name), ...prose(step.text));
    if (step.notes) item.append(element("ul", {}, ...step.notes.map((note) => marked(note.mark, ...prose(note.text)))));
    return item;
  }));
  lists[1].replaceChildren(...titled("What would change it", report.remedies && element(
    "ul", {}, ...report.remedies.map((remedy) => element("li", {}, ...prose(remedy))))));
  const reply = report.reply;
  const head = (reply?.headers ?? []).map(([name, value]) => `${name}: ${value}`);
  lists[2].replaceChildren(...titled("What the client receives", reply && element(
    "pre", {}, [`HTTP ${reply.status}`, ...head, "", reply.body].join("\n").trimEnd())));
}

function titled(title, content) {
  return content ? [element("h3", {}, title), content] : [];
}

// ---- The matrix.

function showMatrix(matrix) {
  const table = at("matrix");
  const isThere = Boolean(matrix?.rows.length);
  const more = matrix?.leftOut ? ` These are the first routes; ${matrix.leftOut} more are left out.` : "";
  const why = matrix ? "The document has no routes." : "The document has errors.";
  say(at("matrix-hint"), isThere ? `Choose a cell to see the way to it.${more}` : why);
  if (!isThere) return table.replaceChildren();
  const column = (text) => element("th", { scope: "col" }, text);
  const head = element("tr", {}, column("route"), ...matrix.callers.map(column));
  const rows = matrix.rows.map((row) => {
    const title = element("th", { scope: "row" }, row.route, element("code", {}, row.request));
    const cells = row.cells.map((cell, index) => {
      const caller = matrix.callers[index];
      const reason = [cell.decision === "would_deny" ? "dry run:" : cell.status, cell.reason].filter(Boolean).join(" ");
      const button = element("button", { type: "button" }, reason || "allow");
      button.title = `${caller}: ${cell.request}`;
      button.dataset.cell = JSON.stringify([caller, cell.request]);
      const isShown = senderName() === caller && field.request.value === cell.request;
      button.setAttribute("aria-pressed", String(isShown));
      button.addEventListener("click", () => choose(caller, cell.request));
      return element("td", { className: cell.decision }, button);
    });
    return element("tr", {}, title, ...cells);
  });
  const focused = document.activeElement?.dataset?.cell;
  table.replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
  if (focused) {
    const same = [...table.querySelectorAll("button")].find((button) => button.dataset.cell === focused);
    same?.focus({ preventScroll: true });
  }
}

function choose(caller, request) {
  field.sender.value = caller;
  field.request.value = request;
  update();
}

// ---- All together.

/** Who sends the request, also while the list of callers is not there yet. */
let wantedSender = ANONYMOUS;

function senderName() {
  return wantedSender;
}

function question() {
  const sender = wantedSender === TOKEN
    ? { token: { token: field.token.value, checked: field.checked.checked } }
    : wantedSender === ANONYMOUS ? "anonymous" : { caller: wantedSender };
  return {
    document: field.document.value,
    resource: field.resource.value || null,
    request: field.request.value,
    callers: field.callers.value,
    sender,
    keySet: field.keys.value,
    now: Math.floor(Date.now() / 1000),
  };
}

function update() {
  wantedSender = field.sender.options.length ? field.sender.value : wantedSender;
  show();
}

function show() {
  let answer;
  try {
    answer = ask(question());
  } catch (error) {
    say(at("request-problem"), `This page has a mistake, please report it: ${error}`);
    return;
  }
  showFindings(answer.findings);
  at("resource-row").hidden = answer.resources.length < 2;
  options(field.resource, answer.resources.map((name) => [name, name]), field.resource.value);
  if (!answer.callersProblem) {
    const names = answer.matrix ? answer.matrix.callers : [ANONYMOUS, ...callerNames(answer)];
    options(field.sender, [...names.map((name) => [name, name]), [TOKEN, "the holder of a token"]], wantedSender);
    if (field.sender.value !== wantedSender && answer.matrix) {
      wantedSender = field.sender.value;
      return show();
    }
  }
  at("token-row").hidden = wantedSender !== TOKEN;
  at("examples").replaceChildren(...answer.examples.map((it) => element("option", { value: it.request }, it.route)));
  say(at("callers-problem"), answer.callersProblem ?? "");
  say(at("request-problem"), answer.requestProblem ?? "");
  field.callers.setAttribute("aria-invalid", String(Boolean(answer.callersProblem)));
  field.request.setAttribute("aria-invalid", String(Boolean(answer.requestProblem)));
  showReport(answer.report, answer.findings.some((finding) => finding.severity === "error"));
  showMatrix(answer.matrix);
  scrolled();
  remember();
}

/** The callers that the list has already, while a broken document has no matrix. */
function callerNames() {
  const known = [...field.sender.options].map((option) => option.value);
  return [...known, wantedSender].filter((name, index, all) =>
    name !== ANONYMOUS && name !== TOKEN && all.indexOf(name) === index);
}

// ---- What a link and a reload bring back: all but tokens, which are secrets.

function state() {
  const kept = { document: field.document.value, callers: field.callers.value, request: field.request.value };
  if (field.keys.value) kept.keys = field.keys.value;
  if (field.resource.value) kept.resource = field.resource.value;
  return { ...kept, sender: wantedSender };
}

function put(kept) {
  const text = (name) => (typeof kept[name] === "string" ? kept[name] : "");
  for (const name of ["document", "callers", "request", "keys"]) field[name].value = text(name);
  wantedSender = typeof kept.sender === "string" ? kept.sender : ANONYMOUS;
  options(field.resource, [[text("resource"), text("resource")]], text("resource"));
  field.sender.replaceChildren();
  delete field.sender.dataset.values;
  showLines();
}

async function through(stream, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

async function toFragment(kept) {
  const bytes = new TextEncoder().encode(JSON.stringify(kept));
  const packed = await through(new CompressionStream("deflate-raw"), bytes);
  let binary = "";
  for (const byte of packed) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function fromFragment(fragment) {
  const binary = atob(fragment.replaceAll("-", "+").replaceAll("_", "/"));
  const packed = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(await through(new DecompressionStream("deflate-raw"), packed)));
}

async function share() {
  const url = new URL(location.href);
  url.hash = await toFragment(state());
  history.replaceState(null, "", url);
  try {
    await navigator.clipboard.writeText(url.href);
    say(at("shared"), "The link is copied. It holds the document, the callers and the request, and no token.");
  } catch {
    say(at("shared"), "The link is in the address bar. It holds the document, the callers and the request, and no token.");
  }
}

function remember() {
  try {
    sessionStorage.setItem("jwt-rbac", JSON.stringify(state()));
  } catch {
    // Then a reload begins anew.
  }
}

async function begin() {
  if (location.hash.length > 1) {
    try {
      return put(await fromFragment(location.hash.slice(1)));
    } catch {
      say(at("shared"), "The link is damaged: here is an example instead.");
      return put(SAMPLES[0]);
    }
  }
  let kept = null;
  try {
    kept = JSON.parse(sessionStorage.getItem("jwt-rbac"));
  } catch {
    // Nothing was kept.
  }
  put(kept ?? SAMPLES[0]);
}

// ---- The beginning.

function listen() {
  let pause = 0;
  const soon = () => {
    clearTimeout(pause);
    pause = setTimeout(update, PAUSE);
  };
  for (const name of ["document", "request", "token", "keys", "callers"]) field[name].addEventListener("input", soon);
  for (const name of ["resource", "sender", "checked"]) field[name].addEventListener("change", update);
  field.document.addEventListener("input", () => {
    showLines();
    // Until it is checked again, no mark is where it was.
    at("marks").replaceChildren();
  });
  field.document.addEventListener("scroll", scrolled);
  field.sample.addEventListener("change", () => {
    const sample = SAMPLES.find((it) => it.name === field.sample.value);
    if (sample) put({ ...sample, keys: "" });
    field.sample.selectedIndex = 0;
    show();
  });
  at("share").addEventListener("click", share);
  addEventListener("hashchange", async () => {
    await begin();
    show();
  });
}

(async () => {
  options(field.sample, [["", "Choose…"], ...SAMPLES.map(({ name }) => [name, name])], "");
  await begin();
  try {
    await load();
  } catch (error) {
    say(at("request-problem"), `This browser can't run the filter: ${error}`);
    return;
  }
  listen();
  show();
  document.documentElement.dataset.ready = "true";
})();
