// Before the page is drawn, so that it does not flash in the other colours.
'use strict';
const theme = localStorage.getItem('theme');
if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
