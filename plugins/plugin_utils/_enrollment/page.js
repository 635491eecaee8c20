// SPDX-FileCopyrightText: 2026 The hardbound.identity authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Shows the hosts of the report that a person asks for. Every text gets into the page as text, never as HTML.
"use strict";

const AT_ONCE = 100; // hosts; more are shown at the press of a button
const WEEK = 7 * 24 * 3600 * 1000;
const WEEKS = 54; // of the chart: what has ended, and the year to come
const SVG = "http://www.w3.org/2000/svg";

const report = JSON.parse(document.getElementById("report").textContent);
const at = Date.parse(report.at);
const find = (id) => document.getElementById(id);
const fields = ["search", "state", "profile", "until"];

// ---------------------------------------------------------------- the report, made readable

function word(value) {
  return typeof value === "number" ? report.words[value] : value;
}

function named(names, values) {
  return Object.fromEntries(names.map((name, index) => [name, values[index]]));
}

function readKey(values) {
  const key = named(report.key, values);
  for (const name of report.key) key[name] = word(key[name]);
  key.end = key.not_after ? Date.parse(key.not_after) : null;
  return key;
}

function readCard(values) {
  const card = named(report.card, values);
  for (const name of ["name", "state", "standing", "owner", "policy"]) card[name] = word(card[name]);
  card.drift = card.drift.map(word);
  card.keys = card.keys.map(readKey);
  return card;
}

function readHost(values) {
  const host = named(report.host, values);
  host.cards = host.cards.map(readCard);
  host.drift = host.drift.map(word);
  host.keys = host.cards.flatMap((card) => card.keys);
  host.standings = host.cards.map((card) => card.standing);
  host.hasDrift = host.drift.length > 0 || host.cards.some((card) => card.drift.length > 0);
  const texts = [host.name, host.ek, ...host.drift];
  for (const card of host.cards) texts.push(card.name, card.owner, card.state, ...card.drift);
  for (const key of host.keys) texts.push(key.slot, key.algorithm, key.holder, key.profile, key.serial);
  host.text = texts.join("\n").toLowerCase();
  return host;
}

const hosts = report.hosts.map(readHost);

// ---------------------------------------------------------------- elements

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

function chip(text) {
  return text ? element("span", { class: `chip ${report.moods[text] || ""}` }, text) : null;
}

function short(hexadecimal) {
  return element("code", { title: hexadecimal }, `${hexadecimal.slice(0, 12)}…`);
}

function sentences(drift) {
  return drift.length ? element("ul", { class: "drift bad" }, ...drift.map((each) => element("li", {}, each))) : null;
}

function tries(secret, left, of) {
  if (left === null || of === null) return null;
  const mood = left === 0 ? "bad" : left < of ? "warn" : "good";
  const dots = left >= 0 && left <= of && of <= 20 ? "●".repeat(left) + "○".repeat(of - left) : "";
  return element("span", {}, `${secret} `, element("span", { class: `tries ${mood}` }, dots), ` ${left} of ${of} tries left`);
}

function days(end) {
  const left = Math.floor((end - at) / (24 * 3600 * 1000));
  return left >= 0 ? `(${left} days)` : `(${-left} days ago)`;
}

function cell(name, key) {
  if (name === "status") return chip(key.status);
  if (name === "serial" && key.serial) return short(key.serial);
  if (name === "not_after" && key.end !== null) {
    return element("span", { title: key.not_after }, `${key.not_after.slice(0, 10)} ${days(key.end)}`);
  }
  return key[name] || "-";
}

function keyTable(keys) {
  const names = Object.entries(report.columns);
  const head = element("tr", {}, ...names.map(([, title]) => element("th", {}, title)));
  const rows = keys.map((key) => element("tr", {}, ...names.map(([name]) => element("td", {}, cell(name, key)))));
  return element("div", { class: "scroll" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)));
}

function cardElement(card) {
  const owner = card.owner ? element("span", {}, `for ${card.owner}`) : null;
  const pin = tries("PIN", card.pin_tries_left, card.pin_retries);
  const puk = tries("PUK", card.puk_tries_left, card.puk_retries);
  return element(
    "div",
    { class: "card" },
    element("div", { class: "line" }, element("h4", {}, card.name), chip(card.state), chip(card.standing), owner, pin, puk),
    card.policy ? element("p", { class: "quiet" }, card.policy) : null,
    sentences(card.drift),
    card.keys.length ? keyTable(card.keys) : null,
  );
}

function counted(host) {
  const counts = new Map();
  for (const key of host.keys) counts.set(key.status, (counts.get(key.status) || 0) + 1);
  return [...counts].map(([status, count]) => {
    const made = chip(status);
    if (count > 1) made.append(` ${count}`);
    return made;
  });
}

function hostElement(host) {
  const owners = host.cards.map((card) => card.owner).filter(Boolean).join(", ");
  const states = host.cards.map((card) => card.state).filter((state) => state && state !== "ready").map(chip);
  const head = element(
    "summary",
    {},
    element("b", {}, host.name),
    element("span", { class: "quiet" }, owners),
    host.answered ? null : chip("silent"),
    host.hasDrift ? chip("drift") : null,
    ...states,
    ...counted(host),
  );
  const made = element("details", {}, head);
  made.addEventListener("toggle", () => made.childElementCount > 1 || made.append(...hostBody(host)), { once: true });
  return made;
}

function hostBody(host) {
  const ek = host.ek ? element("p", { class: "quiet" }, "EK ", short(host.ek)) : null;
  return [ek, sentences(host.drift), ...host.cards.map(cardElement)].filter((child) => child !== null);
}

// ---------------------------------------------------------------- the filter

function wanted() {
  return Object.fromEntries(fields.map((name) => [name, find(name).value.trim()]));
}

function keyMatches(key, asked, last) {
  const states = ["", "silent", "drift", key.status];
  return (
    (asked.profile === "" || key.profile === asked.profile) &&
    (last === null || (key.end !== null && key.end < last)) &&
    states.includes(asked.state)
  );
}

function matches(host, asked, needles, last) {
  if (asked.state === "silent" && host.answered) return false;
  if (asked.state === "drift" && !host.hasDrift) return false;
  if (host.standings.includes(asked.state)) asked = { ...asked, state: "" };
  if (!needles.every((needle) => host.text.includes(needle))) return false;
  const byKey = asked.profile || asked.until || !["", "silent", "drift"].includes(asked.state);
  return !byKey || host.keys.some((key) => keyMatches(key, asked, last));
}

function filtered() {
  const asked = wanted();
  const needles = asked.search.toLowerCase().split(/\s+/).filter(Boolean);
  const last = asked.until ? Date.parse(asked.until) : null;
  return hosts.filter((host) => matches(host, asked, needles, last));
}

function showGroup(title, group) {
  if (!group.length) return [];
  const list = element("div");
  const more = element("button", { class: "more", type: "button" });
  let shown = 0;
  const go = () => {
    list.append(...group.slice(shown, shown + AT_ONCE).map(hostElement));
    shown = Math.min(shown + AT_ONCE, group.length);
    more.hidden = shown === group.length;
    more.textContent = `Show more (${group.length - shown} left)`;
  };
  more.addEventListener("click", go);
  go();
  return [element("h2", {}, `${title} (${group.length})`), list, more];
}

function show() {
  const found = filtered();
  const care = found.filter((host) => host.care);
  const order = found.filter((host) => !host.care);
  find("hosts").replaceChildren(...showGroup("To be seen to", care), ...showGroup("In order", order));
  if (found.length === 1) find("hosts").querySelector("details").open = true;
  find("count").textContent = `${found.length} of ${hosts.length} hosts`;
  const asked = Object.entries(wanted()).filter(([, value]) => value);
  history.replaceState(null, "", asked.length ? `#${new URLSearchParams(asked)}` : location.pathname);
  drawChart(found);
}

// ---------------------------------------------------------------- the chart

function week(end) {
  return Math.max(-1, Math.floor((end - at) / WEEK)) + 1; // 0: has ended
}

function day(time) {
  return new Date(time).toISOString().slice(0, 10);
}

function weekCounts(found) {
  const counts = new Array(WEEKS).fill(0);
  const live = (key) => key.end !== null && key.status !== "revoked";
  for (const host of found) for (const key of host.keys) if (live(key) && week(key.end) < WEEKS) counts[week(key.end)] += 1;
  return counts;
}

function shape(tag, attributes, text = "") {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

function bar(count, index, most) {
  const height = count ? Math.max(2, (count / most) * 90) : 0;
  const until = index === 0 ? day(at) : day(at + index * WEEK);
  const chosen = find("until").value === until ? " chosen" : "";
  const made = shape("rect", { x: index * 20 + 2, y: 100 - height, width: 16, height, class: (index ? "" : "past") + chosen });
  const ends = index === 0 ? `${count} have ended` : `${count} end before ${until}, within the week`;
  made.append(shape("title", {}, ends));
  made.addEventListener("click", () => {
    find("until").value = chosen ? "" : until;
    show();
  });
  return made;
}

function drawChart(found) {
  const counts = weekCounts(found);
  const most = Math.max(1, ...counts);
  const months = counts.map((_, index) => day(at + (index - 1) * WEEK));
  const labels = months
    .map((month, index) => [index, month.slice(0, 7)])
    .filter(([index, month]) => index > 0 && (index === 1 || month !== months[index - 1].slice(0, 7)))
    .map(([index, month]) => shape("text", { x: index * 20 + 2, y: 116 }, month));
  find("chart").replaceChildren(
    ...counts.map((count, index) => bar(count, index, most)),
    shape("text", { x: 2, y: 10 }, `most in a week: ${most}`),
    ...labels.filter((_, index) => index % 2 === 0),
  );
}

// ---------------------------------------------------------------- start

function offer(id, values) {
  find(id).append(...[...values].sort().map((value) => element("option", { value }, value)));
}

const keys = hosts.flatMap((host) => host.keys);
offer("state", new Set(["silent", "drift", ...hosts.flatMap((host) => host.standings).filter(Boolean), ...keys.map((key) => key.status)]));
offer("profile", new Set(keys.map((key) => key.profile).filter(Boolean)));
for (const [name, value] of new URLSearchParams(location.hash.slice(1))) if (fields.includes(name)) find(name).value = value;
for (const name of fields) find(name).addEventListener("input", show);
find("all").addEventListener("click", () => {
  for (const name of fields) find(name).value = "";
  show();
});
show();
