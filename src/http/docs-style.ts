/** The style sheet of `/docs`: system fonts, light and dark, readable on paper and on a telephone. */
export const DOCS_STYLE = `
:root {
  color-scheme: light dark;
  --text: light-dark(#1d2329, #dfe4e9); --dim: light-dark(#5b6670, #96a1ab); --line: light-dark(#e1e5e9, #2c343c);
  --page: light-dark(#ffffff, #14191e); --panel: light-dark(#f6f8f9, #1b2228); --accent: light-dark(#0b6b57, #57c8ab);
  --get: light-dark(#0b6b57, #57c8ab); --post: light-dark(#1a56b0, #7fb0f5); --delete: light-dark(#b3261e, #f2908a);
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1.5rem; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.6 system-ui, -apple-system, "Segoe UI", sans-serif; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 0.87em; }
a { color: var(--accent); text-decoration: none; } a:hover { text-decoration: underline; }
.layout { display: grid; grid-template-columns: 17rem minmax(0, 1fr); max-width: 76rem; margin: 0 auto; }
nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 2rem 1.25rem; border-right: 1px solid var(--line); }
nav strong { display: block; font-size: 1.1rem; margin-bottom: 1rem; }
nav ul { list-style: none; margin: 0 0 1.25rem; padding: 0; }
nav li a { display: flex; gap: 0.5rem; align-items: baseline; padding: 0.15rem 0; color: var(--text); font-size: 0.87rem; overflow-wrap: anywhere; }
nav h2 { font-size: 0.72rem; letter-spacing: 0.06em; text-transform: uppercase; color: var(--dim); margin: 0 0 0.4rem; border: 0; padding: 0; }
main { padding: 2rem 2.5rem 6rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 0.25rem; } h1 small { font-size: 0.9rem; font-weight: 400; color: var(--dim); margin-left: 0.5rem; }
h2 { font-size: 1.3rem; margin: 3rem 0 1rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { display: flex; gap: 0.75rem; align-items: baseline; font-size: 1.02rem; margin: 0; overflow-wrap: anywhere; }
h4 { font-size: 0.78rem; letter-spacing: 0.04em; text-transform: uppercase; color: var(--dim); margin: 1.4rem 0 0.4rem; }
section.operation { margin: 0 0 2rem; padding: 1.25rem 1.5rem 1.5rem; border: 1px solid var(--line); border-radius: 10px; }
.method { font: 600 0.72rem/1 ui-monospace, Menlo, Consolas, monospace; min-width: 3.4rem; color: var(--dim); }
.method.get { color: var(--get); } .method.post { color: var(--post); } .method.delete { color: var(--delete); }
.summary { font-weight: 600; margin: 0.35rem 0 0; } .dim { color: var(--dim); }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 8px; padding: 0.8rem 1rem; overflow-x: auto; line-height: 1.5; margin: 0.4rem 0; }
table { width: 100%; border-collapse: collapse; font-size: 0.92rem; }
th { text-align: left; font-weight: 600; font-size: 0.8rem; color: var(--dim); } th, td { padding: 0.4rem 0.9rem 0.4rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:first-child { white-space: nowrap; } td p { margin: 0; }
.deep1 td:first-child { padding-left: 1.2rem; } .deep2 td:first-child { padding-left: 2.4rem; } .deep3 td:first-child { padding-left: 3.6rem; }
.required { color: var(--delete); font-size: 0.78rem; } details { margin: 0.3rem 0; } summary { cursor: pointer; color: var(--accent); font-size: 0.9rem; }
@media (max-width: 56rem) { .layout { display: block; } nav { position: static; max-height: none; border-right: 0; border-bottom: 1px solid var(--line); } main { padding: 1.5rem 1rem 4rem; } table { display: block; overflow-x: auto; } }
@media print { nav { display: none; } .layout { display: block; } section.operation { break-inside: avoid; } }
`
