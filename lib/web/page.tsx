import { effect } from "@preact/signals";
import { render } from "preact";
import { adviceFor } from "./advice.ts";
import { Conversation, seeMessages } from "./conversation.tsx";
import { Dialogs } from "./dialog.tsx";
import { activeSide, here, there } from "./folder.ts";
import { shown } from "./format.ts";
import { Icon, IconButton } from "./icon.tsx";
import { chooseLanguage, language, t } from "./language.ts";
import { Pane } from "./pane.tsx";
import { begin, jobs, link, pageState, trouble, unread, type View, view } from "./session.ts";
import { showShortcuts } from "./shortcuts.tsx";
import { Status } from "./status.tsx";
import { LANGUAGES } from "./strings/languages.ts";
import { isUnderWay, Strip, Transfers } from "./transfers.tsx";

const VIEWS: readonly (readonly [View, string])[] = [
  ["files", "folder"],
  ["transfers", "arrow-down-to-line"],
  ["messages", "messages-square"],
  ["status", "users"],
];

function Page() {
  if (pageState.value === "refused") return <Notice title={t("keyTitle")} text={t("keyText")} />;
  return (
    <>
      <header class="top">
        <h1>{t("title")}</h1>
        <Link />
        <nav class="views" aria-label={t("title")}>
          {VIEWS.map(([name, icon]) => (
            <button
              type="button"
              aria-current={view.value === name ? "page" : undefined}
              onClick={() => {
                view.value = name;
              }}
            >
              <Icon name={icon} />
              <span>{t(name)}</span>
              <Badge view={name} />
            </button>
          ))}
        </nav>
        <label class="language">
          <span class="unseen">{t("language")}</span>
          <select value={language.value} onChange={({ currentTarget }) => chooseLanguage(currentTarget.value)}>
            {Object.entries(LANGUAGES).map(([code, { name }]) => (
              <option value={code}>{name}</option>
            ))}
          </select>
        </label>
      </header>
      {pageState.value === "lost" && (
        <p class="banner bad" role="alert">
          {t("goneTitle")}. {t("goneText")}
        </p>
      )}
      <Trouble />
      <main>
        {view.value === "files" && <Files />}
        {view.value === "transfers" && <Transfers />}
        {view.value === "messages" && <Conversation />}
        {view.value === "status" && <Status />}
      </main>
      <Dialogs />
    </>
  );
}

function Files() {
  return (
    <div class={`files shows-${activeSide.value}`}>
      <div class="sides" role="group" aria-label={t("files")}>
        {[there, here].map(({ side }) => (
          <button
            type="button"
            aria-pressed={activeSide.value === side}
            onClick={() => {
              activeSide.value = side;
            }}
          >
            {t(side)}
          </button>
        ))}
      </div>
      <div class="panes">
        <Pane folder={there} />
        <Pane folder={here} />
      </div>
      <Strip
        onOpen={() => {
          view.value = "transfers";
        }}
      />
    </div>
  );
}

function Badge({ view: name }: { view: View }) {
  const moving = jobs.value.filter(isUnderWay);
  const isAsking = moving.some(({ state }) => state === "asking");
  const count = name === "transfers" ? moving.length : name === "messages" ? unread.value : 0;
  return count === 0 ? null : <span class={`badge ${isAsking && name === "transfers" ? "bad" : ""}`}>{count}</span>;
}

/** The session with the server, in a line. */
function Link() {
  const { state, name = "", token, position = 0, error } = link.value;
  const text = {
    connecting: t("linkConnecting"),
    queued: t("linkQueued", { position }),
    up: t("linkUp", { name: token === undefined ? name : `${token} (${name})` }),
    lost: t("linkLost"),
    over: t("linkOver"),
  }[state];
  return (
    <p class={`link ${state}`} role="status">
      <span class="lamp" aria-hidden="true" />
      <bdi>{shown(text)}</bdi>
      {error !== undefined && state !== "up" && <span class="dim"> {shown(error.message)}</span>}
    </p>
  );
}

function Trouble() {
  if (trouble.value === undefined) return null;
  const { code, message } = trouble.value;
  return (
    <div class="banner bad" role="alert">
      <span>
        {shown(message)} {adviceFor(code)}
      </span>
      <IconButton
        icon="x"
        label={t("close")}
        onClick={() => {
          trouble.value = undefined;
        }}
      />
    </div>
  );
}

function Notice({ title, text }: { title: string; text: string }) {
  return (
    <main class="notice">
      <h1>{title}</h1>
      <p>{text}</p>
    </main>
  );
}

function isTyping({ target }: Event): boolean {
  return target instanceof HTMLElement && target.closest("input, textarea, select, dialog") !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "?" || isTyping(event)) return;
  event.preventDefault();
  showShortcuts();
});
document.addEventListener("visibilitychange", seeMessages);
document.documentElement.lang = language.value;
effect(() => {
  document.title = unread.value > 0 ? `(${unread.value}) ${t("title")}` : t("title");
});

const root = document.createElement("div");
root.id = "page";
document.body.append(root);
render(<Page />, root);
void begin();
