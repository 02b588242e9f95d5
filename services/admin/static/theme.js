"use strict";

// In the head and not deferred: the page must not show in the other colours first.
{
  const root = document.documentElement;
  const wanted = localStorage.getItem("vitte-theme");
  if (wanted === "dark" || wanted === "light") root.dataset.theme = wanted;

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("#theme")) return;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("vitte-theme", root.dataset.theme);
    document.dispatchEvent(new Event("vitte:theme"));
  });
}
