// Applies the saved theme before the page is drawn, so that it does not flash in the other one.
'use strict';
const theme = localStorage.getItem('theme');
if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
