"""KPI sheets (绩效考核表): the plan with its rows and targets, each person's sheet, its lines, words and signatures."""
