"""The words of a roster file: what its columns may be called, and what may stand in its cells, in either language."""

from collections.abc import Mapping

from review.domain.access import Role
from review.infra.sheets import plain

# The headings of the sheet that can be downloaded, and of the list as it is exported.
HEADINGS: Mapping[str, str] = {
    "employee_no": "工号 Employee no",
    "name": "姓名 Name",
    "email": "邮箱 E-mail",
    "department": "部门 Department",
    "supervisor_no": "主管工号 Supervisor no",
    "post": "岗位 Post",
    "joined_on": "入职日期 Joined",
    "left_on": "离职日期 Left",
    "roles": "角色 Roles",
    "locale": "语言 Language",
}
SYNONYMS: Mapping[str, tuple[str, ...]] = {
    "employee_no": (
        "工号",
        "员工编号",
        "员工号",
        "人员编号",
        "employee no",
        "employee number",
        "employee id",
        "staff no",
    ),
    "name": ("姓名", "名字", "员工姓名", "full name", "employee name"),
    "email": ("邮箱", "电子邮箱", "电子邮件", "公司邮箱", "e-mail", "email address", "mail"),
    "department": ("部门", "所属部门", "组织", "team", "unit"),
    "supervisor_no": (
        *("主管工号", "上级工号", "直属上级工号", "直接上级工号"),
        *("supervisor no", "supervisor number", "manager no", "manager id", "reports to"),
    ),
    "post": ("岗位", "职位", "职务", "position", "job title", "title"),
    "joined_on": ("入职日期", "入职时间", "joined", "joined on", "start date", "hire date"),
    "left_on": ("离职日期", "离职时间", "left", "left on", "end date", "leaving date"),
    "roles": ("角色", "权限", "role"),
    "locale": ("语言", "language", "界面语言"),
}
REQUIRED = ("employee_no", "name")

ROLE_WORDS: Mapping[str, Role] = {
    plain(word): role
    for role, words in {
        Role.AGENT: ("agent", "员工", "客服", "坐席", "普通员工", "employee", "staff"),
        Role.SUPERVISOR: ("supervisor", "主管", "组长", "经理", "manager"),
        Role.HR: ("hr", "人事", "人力资源", "人力"),
        Role.ADMINISTRATOR: ("administrator", "admin", "管理员", "系统管理员"),
    }.items()
    for word in words
}
LOCALE_WORDS = {
    plain(word): locale
    for locale, words in {
        "zh": ("zh", "中文", "汉语", "chinese", "zh-cn"),
        "en": ("en", "英文", "英语", "english"),
    }.items()
    for word in words
}

# What the sheets we write hold.
SHEET_TITLES = ("花名册 Roster", "说明 Notes")
ROLE_CELLS = {Role.AGENT: "员工", Role.HR: "人事", Role.ADMINISTRATOR: "管理员"}
LOCALE_CELLS = {"zh": "中文", "en": "English"}
BETWEEN = "、"
