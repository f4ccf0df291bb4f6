// Added to the end of SimCord's app.js, whose functions and state it shares. What the bot's world adds to a snapshot is
// in `snapshot.easel`: see `_told` in page.py.
{
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const sidebar = document.querySelector("#messages-sidebar");
  const channels = make("ul", { className: "easel-channels" });
  sidebar.querySelector(".sidebar-heading").after(channels);
  sidebar.append(make("p", { className: "easel-note", textContent:
    "A Discord of its own, simulated by SimCord. Nothing leaves this machine." }));

  // One asks for something that SimCord's page has no action for along with one that it has.
  const ask = (easel) => dispatch("refresh", { easel });

  function showChannels({ channels: known }) {
    channels.replaceChildren(...known.map((channel) => {
      const button = make("button", { type: "button", textContent: channel.name });
      if (channel.shown) button.setAttribute("aria-current", "page");
      else if (channel.unread) button.dataset.unread = "";
      button.addEventListener("click", () => {
        back();
        ui.drawerScrim.click();  // closes the drawer of a narrow window
        dispatch("viewer", { viewer_id: state.viewerId, easel: { channel: channel.id } });
      });
      const item = make("li", {});
      item.append(button);
      return item;
    }));
  }

  function showPeople({ people }) {
    for (const option of ui.viewer.options) {
      const role = people[option.value];
      if (role && !option.textContent.endsWith(role)) option.textContent += ` · ${role}`;
    }
  }

  function showReactions({ reactions, menus }, snapshot) {
    for (const [id, message] of Object.entries(snapshot.messages ?? {})) {
      const article = ui.messageList.querySelector(`article[data-message-id="${id}"]`);
      const bar = article?.querySelector(".message-context-actions");
      if (!bar || !message.author?.bot || message.ephemeral || bar.querySelector(".easel-react")) continue;
      const button = make("button", { type: "button", className: "easel-react", textContent: "☺", title: "React" });
      button.setAttribute("aria-label", "React");
      button.addEventListener("click", (event) => {
        event.stopPropagation();
        openPalette(article, id, reactions, menus);
      });
      bar.prepend(button);
    }
  }

  const closePalette = () => document.querySelector(".easel-palette")?.remove();
  function openPalette(article, message, reactions, menus) {
    closePalette();
    const palette = make("div", { className: "easel-palette" });
    const add = (textContent, easel, className = "") => {
      const button = make("button", { type: "button", textContent, className });
      button.addEventListener("click", () => { closePalette(); ask({ message, ...easel }); });
      palette.append(button);
    };
    for (const react of reactions) add(react, { react });
    for (const menu of menus) add(menu, { menu }, "is-menu");
    article.append(palette);
    palette.scrollIntoView({ block: "nearest" });
  }
  document.addEventListener("click", closePalette);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closePalette(); });

  const render = renderSnapshot;
  renderSnapshot = (snapshot, ...more) => {
    render(snapshot, ...more);
    if (!snapshot.easel) return;
    showChannels(snapshot.easel);
    showPeople(snapshot.easel);
    showReactions(snapshot.easel, snapshot);
  };
  const tellStatus = updateActionStatus;
  updateActionStatus = () => {
    tellStatus();
    ui.action.classList.toggle("is-quiet", !/\b(not|un\w+|fail\w*|error|lost|closed|busy)\b/i.test(ui.action.textContent));
  };

  // The page follows what is new unless one scrolled away, and goes to the end when one sends something.
  const timeline = document.querySelector("#channel-timeline");
  let away = false;
  const look = () => setTimeout(() => {
    away = timeline.scrollHeight - timeline.scrollTop - timeline.clientHeight > 40;
  }, 150);
  for (const moved of ["touchmove", "pointerup", "keydown"])
    timeline.addEventListener(moved, look, { passive: true });
  timeline.addEventListener("wheel", (event) => {
    if (event.deltaY < 0) away = timeline.scrollHeight > timeline.clientHeight;
    else look();
  }, { passive: true });
  const follow = () => { if (!away) timeline.scrollTop = timeline.scrollHeight; };
  const back = () => { away = false; follow(); };
  document.querySelector("#viewer-picker").addEventListener("change", back);
  document.addEventListener("click", (event) => {
    if (event.target.closest("#send-message, #new-messages")) back();
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.closest("#channel-composer-input, .command-row")) back();
  }, true);
  new ResizeObserver(follow).observe(document.querySelector("#channel-message-list"));

  // A completed option offers its choices before anything is typed.
  let asked = 0;
  document.addEventListener("focusin", (event) => {
    const field = event.target;
    const heading = document.querySelector(".command-popup-heading")?.textContent ?? "";
    if (!field.matches(".command-option-input") || field.value || !heading.startsWith("OPTIONS MATCHING")) return;
    if (document.querySelector(".command-popup .command-suggestion") || Date.now() - asked < 1000) return;
    asked = Date.now();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
