import DefaultTheme from "vitepress/theme-without-fonts";
import "./pictures.css";
import "./site.css";

export default DefaultTheme;
