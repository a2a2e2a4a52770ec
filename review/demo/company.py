"""星河客服中心: who works there, in which team, under whom. The same people for the same seed and size."""

import random
from dataclasses import dataclass
from datetime import date, timedelta

SURNAMES = (
    "林陈王李张刘杨赵黄周吴徐孙马朱胡郭何高罗郑梁谢宋唐许韩冯邓曹彭曾萧田董袁潘蒋蔡余杜叶程苏魏吕丁任沈姚"
    "卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
GIVEN = (  # noqa: SIM905  sixty quoted names are harder to read
    "晓雯 志远 雨桐 子轩 欣怡 浩然 思源 佳宁 俊杰 梦琪 海燕 建国 静怡 文博 雪晴 "
    "国强 岚 明轩 丽华 宇航 婷婷 嘉豪 晨曦 凯 若曦 一鸣 小敏 子涵 春梅 立新 "
    "诗涵 振华 玉兰 天佑 秋实 慧敏 永康 可欣 家辉 巧云 书瑶 鹏飞 红梅 少杰 依依 "
    "学军 美玲 泽宇 安琪 世杰 芳 乐天 怡然 建平 语嫣 伟 素珍 冠宇 紫萱 卫东 "
).split()
TEAMS = (
    ("售前咨询组", "售前客服"),
    ("售后一组", "售后客服"),
    ("售后二组", "售后客服"),
    ("在线渠道组", "在线客服"),
    ("投诉处理组", "投诉专员"),
)
CENTRE = "星河客服中心"
STANDARD = 60  # people: teams of ten to twelve


@dataclass(frozen=True, slots=True)
class Colleague:
    """One line of the roster. `skill` (0 to 1) is what customers and colleagues will notice; it is in no table."""

    employee_no: str
    name: str
    email: str | None
    department: str
    supervisor_no: str | None
    post: str
    joined_on: date
    roles: tuple[str, ...]
    skill: float


@dataclass(frozen=True, slots=True)
class Company:
    """The whole roster, and the four people a visitor signs in as."""

    colleagues: tuple[Colleague, ...]
    agent_no: str
    supervisor_no: str
    hr_no: str
    admin_no: str

    def by_no(self, employee_no: str) -> Colleague:
        return next(colleague for colleague in self.colleagues if colleague.employee_no == employee_no)


def company(people: int, seed: int, today: date) -> Company:
    """A director, an HR manager, an administrator, and teams of ten to twelve with a supervisor each."""
    dice = random.Random(seed)
    names = _names(people, dice)
    colleagues = [
        _one(1, names[0], CENTRE, None, "客服总监", ("agent",), dice, today),
        _one(2, names[1], f"{CENTRE}/人力资源部", "XH0001", "人力资源经理", ("agent", "hr"), dice, today),
        _one(3, names[2], f"{CENTRE}/信息部", "XH0001", "系统管理员", ("agent", "administrator"), dice, today),
    ]
    number = 4
    for team, size in enumerate(_sizes(people - 3)):
        title, post = _team(team)
        leader = f"XH{number:04}"
        for place in range(size):
            is_leader = place == 0
            boss = "XH0001" if is_leader else leader
            role = f"{title.removesuffix('组')}主管" if is_leader else post
            department = f"{CENTRE}/{title}"
            colleagues.append(_one(number, names[number - 1], department, boss, role, ("agent",), dice, today))
            number += 1
    first_team = [one for one in colleagues if one.department == f"{CENTRE}/{TEAMS[1][0]}"] or colleagues[3:]
    return Company(tuple(colleagues), first_team[1].employee_no, first_team[0].employee_no, "XH0002", "XH0003")


def _names(people: int, dice: random.Random) -> list[str]:
    """Different names while there are enough of them; 林晓雯 is always among them, as the agent one signs in as."""
    pairs = [surname + given for surname in SURNAMES for given in GIVEN]
    dice.shuffle(pairs)
    names = [pairs[place % len(pairs)] for place in range(people)]
    fixed = {1: "赵敏", 15: "陈志远", 16: "林晓雯"}
    return [fixed.get(place, name) for place, name in enumerate(names)]


def _sizes(people: int) -> list[int]:
    """Teams of ten to twelve, as even as can be; a small company is one team."""
    count = max(1, round(people / 11.4))
    base, more = divmod(people, count)
    return [base + (1 if place < more else 0) for place in range(count)]


def _team(number: int) -> tuple[str, str]:
    title, post = TEAMS[number % len(TEAMS)]
    return (title if number < len(TEAMS) else f"{title.removesuffix('组')}{number // len(TEAMS) + 1}组", post)


def _one(
    number: int,
    name: str,
    department: str,
    supervisor_no: str | None,
    post: str,
    roles: tuple[str, ...],
    dice: random.Random,
    today: date,
) -> Colleague:
    # Every tenth colleague has no e-mail, as in real call centres: they get a printed slip.
    email = None if number % 10 == 9 else f"xh{number:04}@xinghe.example.com"
    joined = today - timedelta(days=dice.randint(420, 3200))
    skill = min(1.0, max(0.0, dice.gauss(0.62, 0.18)))
    return Colleague(f"XH{number:04}", name, email, department, supervisor_no, post, joined, roles, skill)


def roster_csv(people: Company) -> bytes:
    """The roster as the file HR would upload."""
    lines = ["工号,姓名,邮箱,部门,主管工号,岗位,入职日期,角色"]
    for one in people.colleagues:
        roles = "、".join({"agent": "员工", "hr": "HR", "administrator": "管理员"}[role] for role in one.roles)
        cells = [
            one.employee_no,
            one.name,
            one.email or "",
            one.department,
            one.supervisor_no or "",
            one.post,
            one.joined_on.isoformat(),
            roles,
        ]
        lines.append(",".join(cells))
    return ("\ufeff" + "\n".join(lines) + "\n").encode()
