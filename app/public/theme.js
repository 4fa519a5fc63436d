// Before anything is painted, so that a page that is to be dark does not begin with a flash of white.
(() => {
  try {
    const theme = localStorage.getItem("foldspace:theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // storage is forbidden here: the system's choice stands
  }
})();
